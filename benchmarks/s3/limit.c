/* limit: the least CPU that small S3 calls take. N connections on an epoll, Signature Version 4, CRC32, in C.
 *
 *   cc -O2 -o limit limit.c -lssl -lcrypto
 *   ./limit http|https PORT put|get CONNECTIONS NUMBER [CA_FILE]
 *
 * It signs each request with a cached signing key, sends SHA256 (over HTTP) and CRC32 of a body, checks the status, the
 * ETag and the CRC32 of what it gets. After a warm-up of a tenth it prints {"us": CPU us an operation, "ops": a second}.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* SHA256_Update: EVP costs more than the hash */

#define SIZE 4096
typedef unsigned char byte;
typedef struct { int fd, have; SSL *ssl; byte in[16384]; } Connection;

static byte body[SIZE];
static char host[64], empty[65];
static int tls, is_put;
static uint32_t table[8][256];

/* -- CRC32, eight bytes at a time --------------------------------------------------------------------------------- */

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        table[0][i] = value;
    }
    for (int i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++) table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t crc32(const byte *data, size_t length) {
    uint32_t value = ~0u;
    for (; length >= 8; data += 8, length -= 8) {
        uint32_t low, high;
        memcpy(&low, data, 4), memcpy(&high, data + 4, 4);
        low ^= value;
        value = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^ table[3][high & 255] ^
                table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
    }
    while (length--) value = table[0][(value ^ *data++) & 255] ^ value >> 8;
    return ~value;
}

static void base64_crc(uint32_t value, char *text) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t bits = (uint64_t)value << 16;
    for (int i = 0; i < 6; i++) text[i] = letters[bits >> (42 - 6 * i) & 63];
    memcpy(text + 6, "==", 3);
}

/* -- signing ------------------------------------------------------------------------------------------------------ */

static time_t second;
static char date[20], day[12], scope[64];
static SHA256_CTX inner, outer;

static void hex(const byte *data, char *text) {
    for (int i = 0; i < 32; i++) text[2 * i] = "0123456789abcdef"[data[i] >> 4], text[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
    text[64] = 0;
}

static void hash(const void *data, size_t length, char *text) {
    byte sum[32];
    SHA256_CTX context;
    SHA256_Init(&context), SHA256_Update(&context, data, length), SHA256_Final(sum, &context);
    hex(sum, text);
}

static void refresh(time_t now) {
    struct tm moment;
    byte key[32], pad[64];
    const char *parts[] = {day, "us-east-1", "s3", "aws4_request"};
    second = now;
    gmtime_r(&now, &moment);
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &moment), strftime(day, sizeof day, "%Y%m%d", &moment);
    snprintf(scope, sizeof scope, "%s/us-east-1/s3/aws4_request", day);
    HMAC(EVP_sha256(), "AWS4secret", 10, (byte *)parts[0], strlen(parts[0]), key, NULL);
    for (int i = 1; i < 4; i++) HMAC(EVP_sha256(), key, 32, (byte *)parts[i], strlen(parts[i]), key, NULL);
    for (int i = 0; i < 64; i++) pad[i] = (i < 32 ? key[i] : 0) ^ 0x36;
    SHA256_Init(&inner), SHA256_Update(&inner, pad, 64);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&outer), SHA256_Update(&outer, pad, 64);
}

static int request(long number, char *out) { /* the head of a request, signed */
    char canonical[1024], to_sign[256], payload[65] = "UNSIGNED-PAYLOAD", sum[65], signature[65], crc[16], path[64], extra[64];
    const char *names = is_put ? "host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date" : "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date";
    byte digest[32];
    time_t now = time(NULL);
    if (now != second) refresh(now);
    snprintf(path, sizeof path, "/bench/4096/%08ld", number);
    if (is_put) {
        base64_crc(crc32(body, SIZE), crc);
        if (!tls) hash(body, SIZE, payload);
        snprintf(extra, sizeof extra, "x-amz-checksum-crc32:%s", crc);
    } else {
        if (!tls) strcpy(payload, empty);
        strcpy(extra, "x-amz-checksum-mode:ENABLED");
    }
    int length = snprintf(canonical, sizeof canonical, "%s\n%s\n\nhost:%s\n%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n\n%s\n%s", is_put ? "PUT" : "GET", path, host,
                          extra, payload, date, names, payload);
    hash(canonical, (size_t)length, sum);
    length = snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, sum);
    SHA256_CTX context = inner;
    SHA256_Update(&context, to_sign, (size_t)length), SHA256_Final(digest, &context);
    context = outer;
    SHA256_Update(&context, digest, 32), SHA256_Final(digest, &context);
    hex(digest, signature);
    return sprintf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\nx-amz-content-sha256: %s\r\nx-amz-date: %s\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIATRIAL/%s, "
                        "SignedHeaders=%s, Signature=%s\r\n\r\n", is_put ? "PUT" : "GET", path, host, is_put ? "Content-Length: 4096\r\n" : "", extra, payload, date, scope, names, signature);
}

/* -- connections -------------------------------------------------------------------------------------------------- */

static void fail(const char *why) {
    fprintf(stderr, "limit: %s\n", why);
    exit(1);
}

static void start(Connection *c, long number) {
    char out[2048 + SIZE];
    int length = request(number, out);
    if (is_put) memcpy(out + length, body, SIZE), length += SIZE;
    c->have = 0;
    if ((c->ssl ? SSL_write(c->ssl, out, length) : (int)send(c->fd, out, (size_t)length, MSG_NOSIGNAL)) != length) fail("a request was not sent at once");
}

static int ended(Connection *c) {
    int got = c->ssl ? SSL_read(c->ssl, c->in + c->have, (int)sizeof c->in - c->have) : (int)recv(c->fd, c->in + c->have, sizeof c->in - (size_t)c->have, 0);
    if (got <= 0) {
        if (c->ssl && SSL_get_error(c->ssl, got) == SSL_ERROR_WANT_READ) return 0;
        fail("a connection ended");
    }
    c->have += got;
    byte *end = memmem(c->in, (size_t)c->have, "\r\n\r\n", 4);
    if (!end) return 0;
    char *sum = NULL, *at = (char *)c->in;
    long length = -1;
    int etag = 0;
    if (memcmp(at, "HTTP/1.1 200", 12)) fail("an answer is not 200");
    while (at < (char *)end && (at = memchr(at, '\n', (size_t)((char *)end + 2 - at)))) {
        at++;
        if (!strncasecmp(at, "content-length:", 15)) length = atol(at + 15);
        else if (!strncasecmp(at, "etag:", 5)) etag = 1;
        else if (!strncasecmp(at, "x-amz-checksum-crc32: ", 22)) sum = at + 22;
    }
    if (c->in + c->have < end + 4 + length) return 0;
    if (!etag || length < 0) fail("an answer lacks headers");
    if (!is_put) {
        char crc[16];
        base64_crc(crc32(end + 4, (size_t)length), crc);
        if (!sum || memcmp(sum, crc, 8)) fail("a body is not what its checksum says");
    }
    return 1;
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double wall(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(int queue, Connection *all, int connections, long number) {
    long started = 0, done = 0;
    struct epoll_event events[512];
    for (; started < connections && started < number; started++) start(&all[started], started);
    while (done < number) {
        int ready = epoll_wait(queue, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            Connection *c = events[i].data.ptr;
            if (!ended(c)) continue;
            done++;
            if (started < number) start(c, started++);
        }
    }
}

int main(int count, char **arguments) {
    if (count < 6) fail("usage: limit http|https PORT put|get CONNECTIONS NUMBER [CA_FILE]");
    int connections = atoi(arguments[4]), queue = epoll_create1(0), yes = 1;
    long number = atol(arguments[5]);
    SSL_CTX *context = NULL;
    tls = !strcmp(arguments[1], "https");
    is_put = !strcmp(arguments[3], "put");
    snprintf(host, sizeof host, "%s:%s", tls ? "localhost" : "127.0.0.1", arguments[2]);
    make_table();
    for (int i = 0; i < SIZE; i++) body[i] = (byte)i;
    hash("", 0, empty);
    if (tls) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        if (count < 7 || SSL_CTX_load_verify_locations(context, arguments[6], NULL) != 1) fail("the CA can't be read");
    }
    Connection *all = calloc((size_t)connections, sizeof *all);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < connections; i++) {
        Connection *c = &all[i];
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("no connection");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (tls) {
            c->ssl = SSL_new(context);
            SSL_set_fd(c->ssl, c->fd), SSL_set1_host(c->ssl, "localhost"), SSL_set_tlsext_host_name(c->ssl, "localhost");
            if (SSL_connect(c->ssl) != 1) fail("no TLS");
        }
        fcntl(c->fd, F_SETFL, O_NONBLOCK); /* from here on: a record may come in pieces */
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(queue, EPOLL_CTL_ADD, c->fd, &event);
    }
    run(queue, all, connections, number / 10 + connections);
    double used = cpu(), since = wall();
    run(queue, all, connections, number);
    used = cpu() - used;
    printf("{\"us\": %.3f, \"ops\": %.0f}\n", used / (double)number * 1e6, (double)number / (wall() - since));
    return 0;
}
