/* nulls3: an S3 server that stores nothing, so that a benchmark measures its clients. Loopback only, one thread, epoll.
 *
 *   cc -O2 -o nulls3 nulls3.c                           plain HTTP
 *   cc -O2 -DTLS -o nulls3 nulls3.c -lssl -lcrypto      and TLS
 *   ./nulls3 [--port N] [--tls-port N --cert F --key F] [--size BYTES] [--list-total KEYS] [--delay-ms MS]
 *            [--slowdown-percent P] [--close-every N]
 *
 * It prints "ready PORT TLS_PORT" and serves until SIGTERM. Buckets are path-style and all exist. An object of the key
 * "SIZE/..." has SIZE bytes; others have --size. A listing of the prefix "SIZE/COUNT/" holds COUNT keys
 * "SIZE/COUNT/00000000" and on; others hold --list-total. Bodies sent are discarded; a checksum sent is echoed. Objects
 * of less than LARGE bytes have CRC32 and an MD5 as ETag; larger ones have CRC64NVME and an ETag of parts, as S3 gives
 * them. --slowdown-percent answers 503 SlowDown, --close-every closes a connection after N answers without saying so,
 * as servers do. "GET /-/stats" tells what was served.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#define IN_SIZE 65536
#define PATTERN (1 << 20)
#define LARGE (8 << 20)
#define PAGE 1000
#define MAX_COLLECTED (16 << 20)
#define BATCH 64 /* events at once: more would keep waiting what falls due meanwhile */

typedef unsigned char byte;
enum { HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, WAITING };

typedef struct {
    char method[8], path[2048], query[2048];
    char range[64], if_match[80], crc32[16], crc64[24], md5[32];
    long long length;
    int chunked, expect, wants_checksum, close;
} Request;

typedef struct Connection {
    int fd, state, served, watched, kept, closing;
    long long left;            /* of the body being discarded */
    byte *in;
    int in_len, in_pos;
    char *collected;           /* a body that is read: DeleteObjects, CompleteMultipartUpload */
    size_t collected_len, collected_size;
    int collects;
    char *out;
    size_t out_len, out_pos, out_size;
    unsigned long long stream_at, stream_left; /* the object's bytes that follow out */
    Request request;
    struct timespec due;
    struct Connection *next;
#ifdef TLS
    SSL *ssl;
    int shaken;
#endif
} Connection;

static struct timespec woken; /* when the loop last woke: what it finds then had come by then */
static int queue, timer = -1, option_delay, option_slowdown, option_close;
static long long option_size = 4096, option_total = 20000;
static byte pattern[PATTERN * 2];
static Connection *first_waiting, *last_waiting;
static struct { unsigned long long requests, put, get, head, list, delete, post, slowdown, bytes_in, connections, open, most; } stats;
#ifdef TLS
static SSL_CTX *context;
#endif

/* -- checksums of objects: a repeated pattern, so a size has one answer ------------------------------------------- */

static uint64_t table32[256], table64[256];

static void make_table(uint64_t *table, uint64_t polynomial) {
    for (int i = 0; i < 256; i++) {
        uint64_t value = (uint64_t)i;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
        table[i] = value;
    }
}

static uint64_t apply(const uint64_t *matrix, uint64_t vector) {
    uint64_t sum = 0;
    for (; vector; vector >>= 1, matrix++)
        if (vector & 1) sum ^= *matrix;
    return sum;
}

/* The register after `size` bytes of the repeated pattern: linear, so the step over one pattern is a matrix. */
static uint64_t checksum(const uint64_t *table, int width, unsigned long long size) {
    uint64_t ones = width == 64 ? ~0ULL : 0xffffffffULL, step[64], square[64];
    for (int i = 0; i < width; i++) {
        uint64_t bit = 1ULL << i;
        step[i] = table[bit & 255] ^ bit >> 8; /* over one zero byte */
    }
    for (int doubling = 0; doubling < 20; doubling++) { /* 2^20 = PATTERN */
        for (int i = 0; i < width; i++) square[i] = apply(step, step[i]);
        memcpy(step, square, sizeof step);
    }
    uint64_t whole = 0, value = ones;
    if (size >= PATTERN)
        for (int i = 0; i < PATTERN; i++) whole = table[(whole ^ pattern[i]) & 255] ^ whole >> 8;
    for (unsigned long long n = size / PATTERN; n; n--) value = apply(step, value) ^ whole;
    for (unsigned long long i = 0; i < size % PATTERN; i++) value = table[(value ^ pattern[i]) & 255] ^ value >> 8;
    return value ^ ones;
}

static void base64(const byte *data, int length, char *text) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16 | (i + 1 < length ? data[i + 1] << 8 : 0) | (i + 2 < length ? data[i + 2] : 0);
        *text++ = letters[three >> 18];
        *text++ = letters[three >> 12 & 63];
        *text++ = i + 1 < length ? letters[three >> 6 & 63] : '=';
        *text++ = i + 2 < length ? letters[three & 63] : '=';
    }
    *text = 0;
}

static void base64_number(uint64_t value, int bytes, char *text) {
    byte data[8];
    for (int i = 0; i < bytes; i++) data[i] = (byte)(value >> 8 * (bytes - 1 - i));
    base64(data, bytes, text);
}

static double sine(double x) { /* by its series, so that libm need not be linked */
    while (x > 6.283185307179586) x -= 6.283185307179586;
    double term = x, sum = x;
    for (int n = 1; n < 60; n += 2) sum += term *= -x * x / ((n + 1) * (n + 2));
    return sum;
}

static void md5_block(uint32_t *h, const byte *p) { /* RFC 1321 */
    static uint32_t k[64];
    static const int r[] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
    for (int i = 0; !k[63] && i < 64; i++) {
        double s = sine(i + 1);
        k[i] = (uint32_t)((s < 0 ? -s : s) * 4294967296.0);
    }
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], m[16];
    memcpy(m, p, 64);
    for (int i = 0; i < 64; i++) {
        uint32_t f;
        int g;
        if (i < 16) f = (b & c) | (~b & d), g = i;
        else if (i < 32) f = (d & b) | (~d & c), g = (5 * i + 1) & 15;
        else if (i < 48) f = b ^ c ^ d, g = (3 * i + 5) & 15;
        else f = c ^ (b | ~d), g = (7 * i) & 15;
        f += a + k[i] + m[g];
        a = d, d = c, c = b;
        int turn = r[i / 16 * 4 + i % 4];
        b += f << turn | f >> (32 - turn);
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d;
}

static void md5(unsigned long long size, char *hex) {
    uint32_t h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    unsigned long long at = 0;
    for (; at + 64 <= size; at += 64) md5_block(h, pattern + at % PATTERN);
    byte last[128] = {0};
    unsigned rest = (unsigned)(size - at);
    memcpy(last, pattern + at % PATTERN, rest);
    last[rest] = 0x80;
    unsigned long long bits = size * 8;
    int length = rest < 56 ? 64 : 128;
    memcpy(last + length - 8, &bits, 8);
    for (int i = 0; i < length; i += 64) md5_block(h, last + i);
    for (int i = 0; i < 16; i++) sprintf(hex + 2 * i, "%02x", ((byte *)h)[i]);
}

typedef struct { long long size; char etag[64], checksum[80]; } Object;

static const Object *object_of(long long size) { /* a benchmark has few sizes */
    static Object known[64];
    static int count, turn;
    for (int i = 0; i < count; i++)
        if (known[i].size == size) return &known[i];
    Object *made = &known[count < 64 ? count++ : turn++ & 63];
    char text[24];
    made->size = size;
    if (size < LARGE) {
        md5((unsigned long long)size, made->etag + 1);
        made->etag[0] = '"';
        strcpy(made->etag + 33, "\"");
        base64_number(checksum(table32, 32, (unsigned long long)size), 4, text);
        snprintf(made->checksum, sizeof made->checksum, "x-amz-checksum-crc32: %s\r\n", text);
    } else {
        snprintf(made->etag, sizeof made->etag, "\"%032llx-%lld\"", (unsigned long long)size * 0x9e3779b97f4a7c15ULL, (size + LARGE - 1) / LARGE);
        base64_number(checksum(table64, 64, (unsigned long long)size), 8, text);
        snprintf(made->checksum, sizeof made->checksum, "x-amz-checksum-crc64nvme: %s\r\n", text);
    }
    return made;
}

/* -- answers ------------------------------------------------------------------------------------------------------ */

static void room(Connection *c, size_t more) {
    if (c->out_len + more <= c->out_size) return;
    c->out_size = (c->out_len + more) * 2;
    c->out = realloc(c->out, c->out_size);
}

static void say(Connection *c, const char *format, ...) {
    va_list arguments;
    room(c, 4096);
    va_start(arguments, format);
    int length = vsnprintf(c->out + c->out_len, c->out_size - c->out_len, format, arguments);
    va_end(arguments);
    c->out_len += (size_t)length;
}

static void status(Connection *c, const char *line) {
    static char date[64];
    static time_t last;
    time_t now = time(NULL);
    if (now != last) {
        last = now;
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    }
    say(c, "HTTP/1.1 %s\r\nx-amz-id-2: bnVsbHMz\r\nx-amz-request-id: %016llX\r\nDate: %s\r\nServer: AmazonS3\r\n%s", line, stats.requests, date,
        c->request.close ? "Connection: close\r\n" : "");
}

static void empty(Connection *c, const char *line) {
    status(c, line);
    say(c, "Content-Length: 0\r\n\r\n");
}

static void xml(Connection *c, const char *line, const char *body, size_t length) {
    status(c, line);
    say(c, "Content-Type: application/xml\r\nContent-Length: %zu\r\n\r\n", length);
    if (strcmp(c->request.method, "HEAD")) {
        room(c, length);
        memcpy(c->out + c->out_len, body, length);
        c->out_len += length;
    }
}

static void error(Connection *c, const char *line, const char *code, const char *message) {
    char body[1024];
    int length = snprintf(body, sizeof body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message><RequestId>%016llX</RequestId><HostId>bnVsbHMz</HostId></Error>",
        code, message, stats.requests);
    xml(c, line, body, (size_t)length);
}

static int parameter(const char *query, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    for (const char *at = query; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, length) || (at[length] && at[length] != '=' && at[length] != '&')) continue;
        size_t n = 0;
        const char *p = at[length] == '=' ? at + length + 1 : "";
        for (; *p && *p != '&' && n + 1 < size; p++) {
            unsigned hex;
            if (*p == '%' && sscanf(p + 1, "%2x", &hex) == 1) value[n++] = (char)hex, p += 2;
            else value[n++] = *p;
        }
        if (size) value[n] = 0;
        return 1;
    }
    return 0;
}

static long long size_of(const char *key) {
    char *end;
    long long size = strtoll(key, &end, 10);
    return end != key && (*end == '/' || !strncasecmp(end, "%2F", 3)) ? size : option_size;
}

static void list(Connection *c, const char *bucket) {
    static char *body;
    static size_t body_size;
    char prefix[1100] = "", token[64] = "", maximum[16] = "", delimiter[16] = "", encoding[8] = "", after[1100] = "";
    const char *query = c->request.query;
    stats.list++;
    parameter(query, "prefix", prefix, sizeof prefix);
    parameter(query, "continuation-token", token, sizeof token);
    parameter(query, "max-keys", maximum, sizeof maximum);
    parameter(query, "delimiter", delimiter, sizeof delimiter);
    parameter(query, "encoding-type", encoding, sizeof encoding);
    parameter(query, "start-after", after, sizeof after);
    long long size = option_size, total = option_total, start = atoll(token), most = *maximum ? atoll(maximum) : PAGE;
    int slashes = 0;
    for (const char *p = prefix; *p; p++) slashes += *p == '/';
    sscanf(prefix, "%lld/%lld/", &size, &total);
    if (slashes < 2) total = option_total;
    if (*after && !*token && strrchr(after, '/')) start = atoll(strrchr(after, '/') + 1) + 1;
    if (most > PAGE) most = PAGE;
    long long end = start + most < total ? start + most : total;
    if (end < start) end = start;
    size_t need = (size_t)(end - start) * (strlen(prefix) + 320) + 4096;
    if (need > body_size) body = realloc(body, body_size = need);
    char *at = body;
    at += sprintf(at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>%s</Name><Prefix>%s</Prefix>", bucket, prefix);
    if (*token) at += sprintf(at, "<ContinuationToken>%s</ContinuationToken>", token);
    if (end < total) at += sprintf(at, "<NextContinuationToken>%lld</NextContinuationToken>", end);
    at += sprintf(at, "<KeyCount>%lld</KeyCount><MaxKeys>%lld</MaxKeys>", end - start, most);
    if (*delimiter) at += sprintf(at, "<Delimiter>%s</Delimiter>", delimiter);
    if (*encoding) at += sprintf(at, "<EncodingType>%s</EncodingType>", encoding);
    at += sprintf(at, "<IsTruncated>%s</IsTruncated>", end < total ? "true" : "false");
    const Object *object = object_of(size);
    for (long long i = start; i < end; i++)
        at += sprintf(at,
            "<Contents><Key>%s%08lld</Key><LastModified>2025-01-02T03:04:05.000Z</LastModified><ETag>&quot;%.*s&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>"
            "<ChecksumType>FULL_OBJECT</ChecksumType><Size>%lld</Size><StorageClass>STANDARD</StorageClass></Contents>",
            prefix, i, (int)strlen(object->etag) - 2, object->etag + 1, size);
    at += sprintf(at, "</ListBucketResult>");
    xml(c, "200 OK", body, (size_t)(at - body));
}

static void delete_many(Connection *c) {
    char *body = c->collected ? c->collected : "", *answer = malloc(c->collected_len * 2 + 512), *to = answer;
    int quiet = memmem(body, c->collected_len, "<Quiet>true", 11) != NULL;
    to += sprintf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    char *end = body + c->collected_len;
    for (char *at = body; (at = memmem(at, (size_t)(end - at), "<Key>", 5));) {
        char *stop = memmem(at, (size_t)(end - at), "</Key>", 6);
        if (!stop) break;
        stats.delete++;
        if (!quiet) {
            memcpy(to, "<Deleted>", 9), to += 9;
            memcpy(to, at, (size_t)(stop + 6 - at)), to += stop + 6 - at;
            memcpy(to, "</Deleted>", 10), to += 10;
        }
        at = stop;
    }
    to += sprintf(to, "</DeleteResult>");
    xml(c, "200 OK", answer, (size_t)(to - answer));
    free(answer);
}

static void get(Connection *c, const char *key, int head) {
    Request *r = &c->request;
    long long size = size_of(key), from = 0, to = size - 1;
    const Object *object = object_of(size);
    if (*r->if_match && strcmp(r->if_match, "*") && strcmp(r->if_match, object->etag)) {
        error(c, "412 Precondition Failed", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
        return;
    }
    int part = 0;
    if (!strncmp(r->range, "bytes=", 6)) {
        char *dash = strchr(r->range, '-');
        part = 1;
        if (r->range[6] == '-') from = size - atoll(r->range + 7);
        else {
            from = atoll(r->range + 6);
            if (dash && dash[1]) to = atoll(dash + 1);
        }
        if (from < 0) from = 0;
        if (to >= size) to = size - 1;
        if (from >= size) {
            error(c, "416 Requested Range Not Satisfiable", "InvalidRange", "The requested range is not satisfiable");
            return;
        }
    }
    status(c, part ? "206 Partial Content" : "200 OK");
    say(c, "Last-Modified: Thu, 02 Jan 2025 03:04:05 GMT\r\nETag: %s\r\n%sAccept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\n", object->etag,
        r->wants_checksum && !part ? object->checksum : "");
    if (r->wants_checksum && !part) say(c, "x-amz-checksum-type: FULL_OBJECT\r\n");
    if (part) say(c, "Content-Range: bytes %lld-%lld/%lld\r\n", from, to, size);
    say(c, "Content-Length: %lld\r\n\r\n", to - from + 1);
    if (head) return;
    unsigned long long length = (unsigned long long)(to - from + 1);
    if (length <= 16384) { /* one write with the headers */
        room(c, length);
        memcpy(c->out + c->out_len, pattern + from % PATTERN, length);
        c->out_len += length;
    } else {
        c->stream_at = (unsigned long long)from;
        c->stream_left = length;
    }
}

static void put(Connection *c) {
    Request *r = &c->request;
    char hex[33] = "0123456789abcdef0123456789abcdef";
    if (strlen(r->md5) == 24) { /* S3's ETag of a whole object is its MD5, and clients compare it */
        byte out[18];
        for (int i = 0, n = 0; i < 24; i += 4, n += 3) {
            uint32_t four = 0;
            for (int j = 0; j < 4; j++) {
                char d = r->md5[i + j];
                four = four << 6 | (uint32_t)(d >= 'a' ? d - 'a' + 26 : d >= 'A' ? d - 'A' : d == '+' ? 62 : d == '/' ? 63 : d == '=' ? 0 : d - '0' + 52);
            }
            out[n] = (byte)(four >> 16), out[n + 1] = (byte)(four >> 8), out[n + 2] = (byte)four;
        }
        for (int i = 0; i < 16; i++) sprintf(hex + 2 * i, "%02x", out[i]);
    }
    status(c, "200 OK");
    say(c, "ETag: \"%s\"\r\n", hex);
    if (*r->crc32) say(c, "x-amz-checksum-crc32: %s\r\nx-amz-checksum-type: FULL_OBJECT\r\n", r->crc32);
    if (*r->crc64) say(c, "x-amz-checksum-crc64nvme: %s\r\nx-amz-checksum-type: FULL_OBJECT\r\n", r->crc64);
    say(c, "Content-Length: 0\r\n\r\n");
}

static void post(Connection *c, const char *bucket, const char *key) {
    Request *r = &c->request;
    char id[256], body[4096];
    int length;
    stats.post++;
    if (parameter(r->query, "delete", id, sizeof id)) {
        delete_many(c);
        return;
    }
    if (parameter(r->query, "uploads", id, sizeof id))
        length = snprintf(body, sizeof body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>%s</Bucket><Key>%s</Key>"
            "<UploadId>nulls3%llu</UploadId></InitiateMultipartUploadResult>", bucket, key, stats.requests);
    else if (parameter(r->query, "uploadId", id, sizeof id)) {
        char sum[128] = "";
        if (*r->crc64) snprintf(sum, sizeof sum, "<ChecksumCRC64NVME>%s</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>", r->crc64);
        else if (*r->crc32) snprintf(sum, sizeof sum, "<ChecksumCRC32>%s</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType>", r->crc32);
        length = snprintf(body, sizeof body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Location>http://localhost/%s/%s</Location>"
            "<Bucket>%s</Bucket><Key>%s</Key><ETag>&quot;0123456789abcdef0123456789abcdef-1&quot;</ETag>%s</CompleteMultipartUploadResult>", bucket, key, bucket, key, sum);
    } else {
        error(c, "400 Bad Request", "InvalidRequest", "nulls3 knows no such POST");
        return;
    }
    xml(c, "200 OK", body, (size_t)length);
}

static void tell(Connection *c) {
    struct rusage used;
    char body[1024];
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    int length = snprintf(body, sizeof body,
        "{\"requests\": %llu, \"put\": %llu, \"get\": %llu, \"head\": %llu, \"list\": %llu, \"deleted\": %llu, \"post\": %llu, \"slowdown\": %llu, \"bytes_in\": %llu, "
        "\"connections\": %llu, \"open\": %llu, \"most_open\": %llu, \"cpu\": %.6f}\n",
        stats.requests, stats.put, stats.get, stats.head, stats.list, stats.delete, stats.post, stats.slowdown, stats.bytes_in, stats.connections, stats.open, stats.most, cpu);
    xml(c, "200 OK", body, (size_t)length);
}

static void answer(Connection *c) {
    static uint32_t random = 12345;
    Request *r = &c->request;
    char bucket[256] = "", value[16];
    const char *key = "", *slash = strchr(r->path + 1, '/');
    stats.requests++;
    if (!strcmp(r->path, "/-/stats")) {
        tell(c);
        return;
    }
    random = random * 1664525 + 1013904223;
    if (option_slowdown && (int)((uint64_t)(random >> 8) * 100 >> 24) < option_slowdown) {
        stats.slowdown++;
        error(c, "503 Slow Down", "SlowDown", "Please reduce your request rate.");
        return;
    }
    snprintf(bucket, sizeof bucket, "%.*s", slash ? (int)(slash - r->path - 1) : 255, r->path + 1);
    if (slash) key = slash + 1;
    if (!strcmp(r->method, "PUT")) stats.put++, put(c);
    else if (!strcmp(r->method, "HEAD")) {
        stats.head++;
        if (*key) get(c, key, 1);
        else status(c, "200 OK"), say(c, "x-amz-bucket-region: us-east-1\r\nContent-Length: 0\r\n\r\n");
    } else if (!strcmp(r->method, "POST")) post(c, bucket, key);
    else if (!strcmp(r->method, "DELETE")) stats.delete++, empty(c, "204 No Content");
    else if (strcmp(r->method, "GET")) error(c, "405 Method Not Allowed", "MethodNotAllowed", "The specified method is not allowed against this resource.");
    else if (*key) stats.get++, get(c, key, 0);
    else if (parameter(r->query, "location", value, sizeof value))
        xml(c, "200 OK", "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>", 71);
    else list(c, bucket);
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

static void header(Request *r, const char *name, int name_length, const char *value, int length) {
#define IS(text) (name_length == (int)sizeof text - 1 && !strncasecmp(name, text, sizeof text - 1))
#define COPY(field) snprintf(r->field, sizeof r->field, "%.*s", length, value)
    switch (name[0] | 32) {
    case 'c':
        if (IS("content-length")) r->length = atoll(value);
        else if (IS("connection")) r->close = !strncasecmp(value, "close", 5);
        else if (IS("content-md5")) COPY(md5);
        break;
    case 't':
        if (IS("transfer-encoding")) r->chunked = !strncasecmp(value, "chunked", 7);
        break;
    case 'e':
        if (IS("expect")) r->expect = 1;
        break;
    case 'r':
        if (IS("range")) COPY(range);
        break;
    case 'i':
        if (IS("if-match")) COPY(if_match);
        break;
    case 'x':
        if (IS("x-amz-checksum-crc32")) COPY(crc32);
        else if (IS("x-amz-checksum-crc64nvme")) COPY(crc64);
        else if (IS("x-amz-checksum-mode")) r->wants_checksum = 1;
        break;
    }
}

static int parse(Connection *c, char *at, char *end) { /* end: the empty line */
    Request *r = &c->request;
    r->path[0] = r->query[0] = r->range[0] = r->if_match[0] = r->crc32[0] = r->crc64[0] = r->md5[0] = 0;
    r->length = r->chunked = r->expect = r->wants_checksum = r->close = 0;
    char *line_end = memchr(at, '\r', (size_t)(end + 1 - at)), *space = memchr(at, ' ', (size_t)(line_end - at));
    if (!space || space - at >= (long)sizeof r->method) return -1;
    memcpy(r->method, at, (size_t)(space - at));
    r->method[space - at] = 0;
    char *path = space + 1, *stop = memchr(path, ' ', (size_t)(line_end - path));
    if (!stop) return -1;
    char *question = memchr(path, '?', (size_t)(stop - path)), *path_end = question ? question : stop;
    if (path_end - path >= (long)sizeof r->path || stop - path_end >= (long)sizeof r->query) return -1;
    memcpy(r->path, path, (size_t)(path_end - path));
    r->path[path_end - path] = 0;
    if (question) {
        memcpy(r->query, question + 1, (size_t)(stop - question - 1));
        r->query[stop - question - 1] = 0;
    }
    for (at = line_end + 2; at < end; at = line_end + 2) {
        line_end = memchr(at, '\r', (size_t)(end + 1 - at));
        char *colon = memchr(at, ':', (size_t)(line_end - at));
        if (!colon) return -1;
        char *value = colon + 1;
        while (value < line_end && *value == ' ') value++;
        header(r, at, (int)(colon - at), value, (int)(line_end - value));
    }
    return 0;
}

static void keep(Connection *c, const byte *data, size_t length) {
    stats.bytes_in += length;
    if (!c->collects || c->collected_len + length > MAX_COLLECTED) return;
    if (c->collected_len + length > c->collected_size) c->collected = realloc(c->collected, c->collected_size = (c->collected_len + length) * 2);
    memcpy(c->collected + c->collected_len, data, length);
    c->collected_len += length;
}

static void later(Connection *c);

static void finish(Connection *c) { /* a request is whole */
    c->served++;
    if (option_close && c->served % option_close == 0) c->closing = 1;
    if (c->request.close) c->closing = 1;
    if (option_delay) {
        c->state = WAITING;
        later(c);
    } else {
        c->state = HEAD;
        answer(c);
    }
}

/* Read what is in the buffer; 0 when more bytes are needed or an answer must leave first, -1 when it is no HTTP. */
static int advance(Connection *c) {
    for (;;) {
        byte *at = c->in + c->in_pos;
        int have = c->in_len - c->in_pos;
        if (c->stream_left || c->state == WAITING || c->closing) return 0;
        if (c->state == HEAD) {
            byte *end = have ? memmem(at, (size_t)have, "\r\n\r\n", 4) : NULL;
            if (!end) return have >= IN_SIZE - 1 ? -1 : 0;
            if (parse(c, (char *)at, (char *)end)) return -1;
            c->in_pos = (int)(end + 4 - c->in);
            c->collects = !strcmp(c->request.method, "POST");
            c->collected_len = 0;
            if (c->request.expect) say(c, "HTTP/1.1 100 Continue\r\n\r\n");
            c->left = c->request.length;
            c->state = c->request.chunked ? CHUNK_SIZE : BODY;
        } else if (c->state == BODY || c->state == CHUNK_DATA) {
            long long taken = have < c->left ? have : c->left;
            keep(c, at, (size_t)taken);
            c->in_pos += (int)taken;
            c->left -= taken;
            if (c->left) return 0;
            if (c->state == BODY) finish(c);
            else c->state = CHUNK_END;
        } else {
            byte *end = have ? memmem(at, (size_t)have, "\r\n", 2) : NULL;
            if (!end) return have > 4096 ? -1 : 0;
            int length = (int)(end - at);
            c->in_pos += length + 2;
            if (c->state == CHUNK_SIZE) {
                c->left = strtoll((char *)at, NULL, 16);
                c->state = c->left ? CHUNK_DATA : TRAILER;
            } else if (c->state == CHUNK_END) c->state = CHUNK_SIZE;
            else if (!length) finish(c);
            else { /* a checksum may follow the body */
                char *colon = memchr(at, ':', (size_t)length);
                if (colon) header(&c->request, (char *)at, (int)(colon - (char *)at), colon + 1 + (colon[1] == ' '), (int)((char *)end - colon - 1 - (colon[1] == ' ')));
            }
        }
    }
}

/* -- bytes -------------------------------------------------------------------------------------------------------- */

static void drop(Connection *c) {
#ifdef TLS
    if (c->ssl) SSL_free(c->ssl);
#endif
    stats.open--;
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c->collected);
    free(c);
}

static ssize_t take(Connection *c, void *buffer, size_t length) {
#ifdef TLS
    if (c->ssl) {
        int got = SSL_read(c->ssl, buffer, (int)length);
        if (got > 0) return got;
        int why = SSL_get_error(c->ssl, got);
        ERR_clear_error();
        errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
        return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
#endif
    return recv(c->fd, buffer, length, 0);
}

static ssize_t give(Connection *c, const void *buffer, size_t length, int more) {
#ifdef TLS
    if (c->ssl) {
        int sent = SSL_write(c->ssl, buffer, length > 1 << 20 ? 1 << 20 : (int)length);
        if (sent > 0) return sent;
        int why = SSL_get_error(c->ssl, sent);
        ERR_clear_error();
        errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
        return -1;
    }
#endif
    return send(c->fd, buffer, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

enum { READING, WRITING, NEITHER };

static void watch(Connection *c, int what) {
    static const uint32_t events[] = {EPOLLIN, EPOLLOUT, 0};
    if (c->watched == what) return;
    c->watched = what;
    struct epoll_event event = {.events = events[what], .data.ptr = c};
    epoll_ctl(queue, EPOLL_CTL_MOD, c->fd, &event);
}

static int flush(Connection *c) { /* 1: all is sent, 0: the socket is full, -1: gone */
    while (c->out_pos < c->out_len || c->stream_left) {
        ssize_t sent;
        if (c->out_pos < c->out_len) {
            sent = give(c, c->out + c->out_pos, c->out_len - c->out_pos, c->stream_left != 0);
            if (sent > 0) c->out_pos += (size_t)sent;
        } else {
            size_t length = c->stream_left < PATTERN ? (size_t)c->stream_left : PATTERN;
            sent = give(c, pattern + c->stream_at % PATTERN, length, 0); /* the pattern is there twice */
            if (sent > 0) c->stream_at += (unsigned long long)sent, c->stream_left -= (unsigned long long)sent;
        }
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) return -1;
            watch(c, WRITING);
            return 0;
        }
    }
    c->out_len = c->out_pos = 0;
    watch(c, READING);
    return 1;
}

/* Answer what has come, as far as it goes; -1 ends the connection. */
static int serve(Connection *c) {
    for (;;) {
        int before = c->in_pos, busy = c->out_len || c->stream_left;
        if (advance(c)) return -1;
        busy |= c->out_len || c->stream_left;
        int sent = flush(c);
        if (sent < 0 || (sent && c->closing && c->state == HEAD)) return -1;
        if (!sent || c->state == WAITING || (c->in_pos == before && !busy)) break;
    }
    if (c->in_pos == c->in_len) c->in_pos = c->in_len = 0;
    else if (c->in_pos > IN_SIZE / 2 || c->in_len == IN_SIZE) {
        memmove(c->in, c->in + c->in_pos, (size_t)(c->in_len - c->in_pos));
        c->in_len -= c->in_pos, c->in_pos = 0;
    }
    return 0;
}

static int readable(Connection *c) {
#ifdef TLS
    if (c->ssl && !c->shaken) {
        int done = SSL_accept(c->ssl);
        if (done != 1) {
            int why = SSL_get_error(c->ssl, done);
            ERR_clear_error();
            return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
        }
        c->shaken = 1;
    }
#endif
    for (int turn = 0; turn < 64; turn++) {
        int tls = 0;
#ifdef TLS
        tls = c->ssl != NULL;
#endif
        if (!tls && (c->state == BODY || c->state == CHUNK_DATA) && !c->collects && c->in_pos == c->in_len && c->left > IN_SIZE) {
            ssize_t gone = recv(c->fd, NULL, (size_t)c->left, MSG_TRUNC); /* not even copied */
            if (gone == 0 || (gone < 0 && errno != EAGAIN)) return -1;
            if (gone < 0) return 0;
            stats.bytes_in += (unsigned long long)gone;
            c->left -= gone;
            if (c->left) continue;
            if (serve(c)) return -1;
            continue;
        }
        if (c->in_len == IN_SIZE) return 0;
        ssize_t got = take(c, c->in + c->in_len, (size_t)(IN_SIZE - c->in_len));
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return -1;
        if (got < 0) return 0;
        int full = got == IN_SIZE - c->in_len;
        c->in_len += (int)got;
        if (serve(c)) return -1;
        if (c->state == WAITING || c->watched == WRITING) return 0;
        if (!tls && !full) return 0; /* the socket is level-triggered */
    }
    return 0;
}

/* -- the delay: the same for all, so the first to come is the first to be due ------------------------------------- */

static void arm(void) {
    struct itimerspec when = {{0, 0}, first_waiting ? first_waiting->due : (struct timespec){0, 0}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void later(Connection *c) {
    c->due = woken; /* not the time now: what the server does with others is no part of the delay */
    c->due.tv_nsec += option_delay % 1000 * 1000000L;
    c->due.tv_sec += option_delay / 1000 + c->due.tv_nsec / 1000000000L;
    c->due.tv_nsec %= 1000000000L;
    c->next = NULL;
    c->kept = 1;
    if (last_waiting) last_waiting->next = c;
    else first_waiting = c;
    last_waiting = c;
    if (first_waiting == c) arm();
}

static void due(void) {
    struct timespec now;
    if (!first_waiting) return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    Connection *first = first_waiting;
    while (first_waiting && (first_waiting->due.tv_sec < now.tv_sec || (first_waiting->due.tv_sec == now.tv_sec && first_waiting->due.tv_nsec <= now.tv_nsec))) {
        Connection *c = first_waiting;
        first_waiting = c->next;
        if (!first_waiting) last_waiting = NULL;
        c->kept = 0;
        c->state = HEAD;
        answer(c);
        if (serve(c)) drop(c);
    }
    if (first_waiting && first_waiting != first) arm();
}

/* -- the loop ----------------------------------------------------------------------------------------------------- */

static int listener(int *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
        perror("nulls3");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

static void accept_all(int fd, int tls) {
    for (;;) {
        int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;
        if (got < 0) return;
        setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection *c = calloc(1, sizeof *c);
        c->fd = got;
        c->in = malloc(IN_SIZE);
#ifdef TLS
        if (tls) {
            c->ssl = SSL_new(context);
            SSL_set_fd(c->ssl, got);
            SSL_set_accept_state(c->ssl);
        }
#else
        (void)tls;
#endif
        stats.connections++;
        if (++stats.open > stats.most) stats.most = stats.open;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(queue, EPOLL_CTL_ADD, got, &event);
    }
}

static const char *option(int count, char **arguments, const char *name) {
    for (int i = 1; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) return arguments[i + 1];
    return NULL;
}

int main(int count, char **arguments) {
    static int plain_mark, tls_mark, timer_mark;
    int port = 0, tls_port = 0, tls = -1;
    const char *value;
    struct rlimit files;
    if ((value = option(count, arguments, "--port"))) port = atoi(value);
    if ((value = option(count, arguments, "--size"))) option_size = atoll(value);
    if ((value = option(count, arguments, "--list-total"))) option_total = atoll(value);
    if ((value = option(count, arguments, "--delay-ms"))) option_delay = atoi(value);
    if ((value = option(count, arguments, "--slowdown-percent"))) option_slowdown = atoi(value);
    if ((value = option(count, arguments, "--close-every"))) option_close = atoi(value);
    signal(SIGPIPE, SIG_IGN);
    if (!getrlimit(RLIMIT_NOFILE, &files)) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
    make_table(table32, 0xEDB88320ULL);
    make_table(table64, 0x9A6C9329AC4BC9B5ULL);
    uint64_t state = 88172645463325252ULL;
    for (int i = 0; i < PATTERN; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        pattern[i] = pattern[i + PATTERN] = (byte)state;
    }
    queue = epoll_create1(EPOLL_CLOEXEC);
    int plain = listener(&port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &plain_mark};
    epoll_ctl(queue, EPOLL_CTL_ADD, plain, &event);
#ifdef TLS
    const char *cert = option(count, arguments, "--cert"), *key = option(count, arguments, "--key");
    if (cert && key) {
        context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (SSL_CTX_use_certificate_chain_file(context, cert) != 1 || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
            ERR_print_errors_fp(stderr);
            return 1;
        }
        if ((value = option(count, arguments, "--tls-port"))) tls_port = atoi(value);
        tls = listener(&tls_port);
        event.data.ptr = &tls_mark;
        epoll_ctl(queue, EPOLL_CTL_ADD, tls, &event);
    }
#endif
    if (option_delay) {
        timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        event.data.ptr = &timer_mark;
        epoll_ctl(queue, EPOLL_CTL_ADD, timer, &event);
    }
    printf("ready %d %d\n", port, tls_port);
    fflush(stdout);
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(queue, events, BATCH, -1);
        if (option_delay) clock_gettime(CLOCK_MONOTONIC, &woken);
        for (int i = 0; i < ready; i++) {
            void *mark = events[i].data.ptr;
            if (mark == &plain_mark) accept_all(plain, 0);
            else if (mark == &tls_mark) accept_all(tls, 1);
            else if (mark == &timer_mark) {
                uint64_t times;
                if (read(timer, &times, sizeof times) < 0) continue;
            }
            else {
                Connection *c = mark;
                int gone;
                if (c->kept) { /* its answer waits: a byte or an end that comes now is seen after it */
                    char peek;
                    if (recv(c->fd, &peek, 1, MSG_PEEK | MSG_DONTWAIT) == 0) c->closing = 1, epoll_ctl(queue, EPOLL_CTL_DEL, c->fd, NULL);
                    else watch(c, NEITHER);
                    continue;
                }
                gone = c->watched == WRITING ? serve(c) : readable(c);
                if (gone) drop(c);
            }
        }
        if (option_delay) due();
    }
}
