/* nullaws: an AWS that stores nothing, so that a benchmark measures its clients. Loopback only, one thread, epoll.
 *
 *   cc -O2 -o nullaws nullaws.c
 *   ./nullaws [--port N] [--delay-ms MS] [--accounts N] [--caller ID] [--regions N] [--instances N] [--pages N]
 *             [--quota RATE:BURST] [--quota-scope account,region,operation]
 *             [--deny LIST] [--error500 LIST] [--throttle LIST] [--hang LIST] [--deny-roles LIST] [--disabled LIST]
 *
 * It prints "ready PORT" and serves until SIGTERM: every service at one address, told apart by the credential scope.
 * AssumeRole gives access keys "ASIA" ACCOUNT NNNN; who signs with one is in that account, all others in --caller.
 * Every id, tag, ARN and URL in an answer has the account and the region of the request that asked for it, and a token
 * of a page is good for one account, region and operation alone: what is mixed up shows. The organization has
 * --accounts accounts from 100000000001 on, and the first --regions of 34 regions are enabled.
 *
 * Lists of faults have account ids, regions, or ID/REGION, with commas; they hold for all but STS and for what asks
 * which regions there are. --deny-roles has accounts whose role can't be assumed, --disabled regions that are not
 * enabled. --quota is a token bucket for each account, region and operation (--quota-scope says less), STS apart.
 * "GET /-/stats" tells what was served.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
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

#define MOST_REQUEST (1 << 20)
#define EVENTS 256
#define FIRST_ACCOUNT 100000000001LL
#define ID 12

enum { READING, WAITING, HUNG };
enum { EC2, QUERY, JSON, REST };
enum { OK, DENIED, FAILED, THROTTLED, HANGS, KINDS };
static const char *const kinds[KINDS] = {"ok", "denied", "failed", "throttled", "hung"};

typedef struct Connection {
    int fd, state, watched, gone, closing;
    char *in, *out;
    size_t in_len, in_size, used; /* used: bytes of the request that is being answered */
    size_t out_len, out_pos, out_size;
    struct timespec due;
    struct Connection *next;
} Connection;

typedef struct {
    char path[256], service[24], region[32], key[40], token[64], operation[64], account[ID + 1];
    const char *body;
    size_t length;
    int protocol, close;
} Request;

typedef struct {
    char name[96];
    unsigned long long calls, by[KINDS];
    double first, last;
} Operation;

typedef struct { char *key; double tokens, at; } Bucket;
typedef struct { char (*items)[64]; int count; } List;

static const char *const regions[] = {
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1",
    "af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
    "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"};
#define REGIONS ((int)(sizeof regions / sizeof *regions))
#define BY_DEFAULT 17

static int queue, timer = -1;
static int option_delay, option_accounts = 200, option_regions = REGIONS, option_instances = 2, option_pages = 1;
static int by_account = 1, by_region = 1, by_operation = 1;
static double quota_rate, quota_burst;
static char caller[ID + 1] = "999999999999";
static List denied, failing, throttled, hanging, no_role, disabled;
static Connection *first_waiting, *last_waiting;
static struct timespec woken;
static Operation operations[128];
static int operation_count;
static struct { unsigned long long requests, connections, open, most, mixed, roles; } stats;

#define BUCKETS (1 << 17)
static Bucket buckets[BUCKETS];

/* -- what is written ---------------------------------------------------------------------------------------------- */

static char *text; /* the body of the answer that is being made */
static size_t text_len, text_size;

static void add(const char *format, ...) {
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        int length = vsnprintf(text + text_len, text_size - text_len, format, arguments);
        va_end(arguments);
        if ((size_t)length < text_size - text_len) {
            text_len += (size_t)length;
            return;
        }
        text = realloc(text, text_size = (text_size + (size_t)length) * 2);
    }
}

static void answer(Connection *c, const Request *r, const char *status, const char *headers) {
    static char date[64];
    static time_t last;
    time_t now = time(NULL);
    const char *type = r->protocol == JSON ? "application/x-amz-json-1.1" : r->protocol == REST ? "application/json" : "text/xml;charset=UTF-8";
    if (now != last) {
        last = now;
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    }
    size_t need = text_len + 1024;
    if (c->out_size < need) c->out = realloc(c->out, c->out_size = need * 2);
    int length = snprintf(c->out, c->out_size,
        "HTTP/1.1 %s\r\nx-amzn-RequestId: %08llx-0000-4000-8000-%012llx\r\nContent-Type: %s\r\nDate: %s\r\n%s%sContent-Length: %zu\r\n\r\n",
        status, stats.requests, stats.requests, type, date, headers, r->close ? "Connection: close\r\n" : "", text_len);
    memcpy(c->out + length, text, text_len);
    c->out_len = (size_t)length + text_len;
    c->out_pos = 0;
}

static void error(Connection *c, const Request *r, const char *status, const char *code, const char *message) {
    char header[128] = "";
    text_len = 0;
    if (r->protocol == EC2)
        add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors>"
            "<RequestID>%llu</RequestID></Response>", code, message, stats.requests);
    else if (r->protocol == QUERY)
        add("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%llu</RequestId></ErrorResponse>",
            code, message, stats.requests);
    else add("{\"__type\": \"%s\", \"message\": \"%s\"}", code, message);
    if (r->protocol == REST) snprintf(header, sizeof header, "x-amzn-ErrorType: %s\r\n", code);
    answer(c, r, status, header);
}

/* -- what is asked ------------------------------------------------------------------------------------------------ */

static int form(const Request *r, const char *name, char *value, size_t size) {
    size_t length = strlen(name), n = 0;
    const char *end = r->body + r->length;
    *value = 0;
    for (const char *at = r->body; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (!stop) stop = end;
        if ((size_t)(stop - at) > length && !memcmp(at, name, length) && at[length] == '=') {
            for (const char *p = at + length + 1; p < stop && n + 1 < size; p++) {
                unsigned hex;
                if (*p == '%' && p + 2 < stop && sscanf(p + 1, "%2x", &hex) == 1) value[n++] = (char)hex, p += 2;
                else value[n++] = *p == '+' ? ' ' : *p;
            }
            value[n] = 0;
            return 1;
        }
        at = stop + 1;
    }
    return 0;
}

static int json(const Request *r, const char *name, char *value, size_t size) { /* of texts and numbers, at any depth */
    char quoted[48];
    size_t n = 0, length = (size_t)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *end = r->body + r->length, *at = r->length ? memmem(r->body, r->length, quoted, length) : NULL;
    *value = 0;
    if (!at) return 0;
    for (at += length; at < end && strchr(": \"", *at); at++) {}
    while (at < end && !strchr("\",} ", *at) && n + 1 < size) value[n++] = *at++;
    value[n] = 0;
    return 1;
}

static int holds(const List *list, const Request *r) {
    for (int i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        if (!strcmp(item, r->account) || !strcmp(item, r->region)) return 1;
        if (item[0] && strlen(item) > ID && item[ID] == '/' && !strncmp(item, r->account, ID) && !strcmp(item + ID + 1, r->region)) return 1;
    }
    return 0;
}

static int place(const char *region) { /* its number, 63 for one that is not known */
    for (int i = 0; i < REGIONS; i++)
        if (!strcmp(regions[i], region)) return i;
    return 63;
}

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int within_quota(const Request *r) {
    char key[128];
    unsigned long hash = 5381;
    if (!quota_rate) return 1;
    snprintf(key, sizeof key, "%s/%s/%s", by_account ? r->account : "", by_region ? r->region : "", by_operation ? r->operation : "");
    for (const char *p = key; *p; p++) hash = hash * 33 ^ (unsigned char)*p;
    Bucket *bucket = &buckets[hash % BUCKETS];
    while (bucket->key && strcmp(bucket->key, key)) bucket = bucket + 1 < buckets + BUCKETS ? bucket + 1 : buckets;
    double time = now(CLOCK_MONOTONIC);
    if (!bucket->key) *bucket = (Bucket){strdup(key), quota_burst, time};
    bucket->tokens += (time - bucket->at) * quota_rate;
    bucket->at = time;
    if (bucket->tokens > quota_burst) bucket->tokens = quota_burst;
    if (bucket->tokens < 1) return 0;
    bucket->tokens -= 1;
    return 1;
}

/* The page that a token names: 0 for none, -1 for one of another account, region or operation. */
static int page_of(const Request *r, const char *token) {
    char own[160];
    if (!*token) return 0;
    int length = snprintf(own, sizeof own, "%s.%s.%s.", r->account, r->region, r->operation);
    if (!strncmp(token, own, (size_t)length)) return atoi(token + length);
    stats.mixed++;
    return -1;
}

static void token_of(const Request *r, int page, char *token, size_t size) {
    *token = 0;
    if (page < option_pages) snprintf(token, size, "%s.%s.%s.%d", r->account, r->region, r->operation, page);
}

/* -- services ----------------------------------------------------------------------------------------------------- */

static void iso(time_t when, char *date) {
    strftime(date, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime(&when));
}

static int assume_role(Connection *c, const Request *r) {
    char arn[512], session[128], seconds[16], target[ID + 1] = "", date[32];
    form(r, "RoleArn", arn, sizeof arn);
    form(r, "RoleSessionName", session, sizeof session);
    long duration = form(r, "DurationSeconds", seconds, sizeof seconds) ? atol(seconds) : 3600;
    const char *at = arn, *name = strrchr(arn, '/');
    for (int i = 0; i < 4 && at; i++) at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL;
    if (!at || !name || strspn(at, "0123456789") != ID) {
        error(c, r, "400 Bad Request", "ValidationError", "RoleArn is invalid");
        return FAILED;
    }
    memcpy(target, at, ID);
    for (int i = 0; i < no_role.count; i++)
        if (!strcmp(no_role.items[i], target)) {
            error(c, r, "403 Forbidden", "AccessDenied", "User is not authorized to perform: sts:AssumeRole");
            return DENIED;
        }
    iso(time(NULL) + duration, date);
    unsigned number = (unsigned)(stats.roles++ & 0xffff);
    add("<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA%s%04X:%s</AssumedRoleId>"
        "<Arn>arn:aws:sts::%s:assumed-role/%s/%s</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIA%s%04X</AccessKeyId>"
        "<SecretAccessKey>secret-%s-%04X</SecretAccessKey><SessionToken>token-%s-%04X</SessionToken><Expiration>%s</Expiration></Credentials>"
        "</AssumeRoleResult><ResponseMetadata><RequestId>%llu</RequestId></ResponseMetadata></AssumeRoleResponse>",
        target, number, session, target, name + 1, session, target, number, target, number, target, number, date, stats.requests);
    return OK;
}

static int identity(const Request *r) {
    add("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:sts::%s:assumed-role/Role/nullaws</Arn>"
        "<UserId>AROA%s:nullaws</UserId><Account>%s</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>%llu</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>", r->account, r->account, r->account, stats.requests);
    return OK;
}

static int enabled(int region) {
    for (int i = 0; i < disabled.count; i++)
        if (!strcmp(disabled.items[i], regions[region])) return 0;
    return region < option_regions;
}

static int describe_regions(const Request *r) {
    char all[8];
    form(r, "AllRegions", all, sizeof all);
    add("<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>%llu</requestId><regionInfo>", stats.requests);
    for (int i = 0; i < REGIONS; i++) {
        const char *status = i < BY_DEFAULT ? "opt-in-not-required" : enabled(i) ? "opted-in" : "not-opted-in";
        if (!enabled(i) && (strcmp(all, "true") || i < BY_DEFAULT)) continue;
        add("<item><regionName>%s</regionName><regionEndpoint>ec2.%s.amazonaws.com</regionEndpoint><optInStatus>%s</optInStatus></item>", regions[i], regions[i], status);
    }
    add("</regionInfo></DescribeRegionsResponse>");
    return OK;
}

static int list_regions(const Request *r) {
    int any = 0, wants_enabled = !r->length || !memmem(r->body, r->length, "RegionOptStatusContains", 23) || memmem(r->body, r->length, "\"ENABLED\"", 9);
    add("{\"Regions\": [");
    for (int i = 0; i < REGIONS; i++) {
        const char *status = i < BY_DEFAULT && enabled(i) ? "ENABLED_BY_DEFAULT" : enabled(i) ? "ENABLED" : "DISABLED";
        if (r->length && memmem(r->body, r->length, "RegionOptStatusContains", 23) && (!wants_enabled || *status == 'D')) continue;
        add("%s{\"RegionName\": \"%s\", \"RegionOptStatus\": \"%s\"}", any++ ? ", " : "", regions[i], status);
    }
    add("]}");
    return OK;
}

static void instance(const Request *r, unsigned number) {
    unsigned id = number << 6 | (unsigned)place(r->region);
    const char *account = r->account;
    add("<item><reservationId>r-%s%05x</reservationId><ownerId>%s</ownerId><groupSet/><instancesSet><item><instanceId>i-%s%05x</instanceId><imageId>ami-0abcdef1234567890</imageId>"
        "<instanceState><code>16</code><name>running</name></instanceState><privateDnsName>ip-10-0-%u-%u.%s.compute.internal</privateDnsName><dnsName/><reason/><keyName>ops</keyName>"
        "<amiLaunchIndex>0</amiLaunchIndex><productCodes/><instanceType>m7g.large</instanceType><launchTime>2026-01-02T03:04:05.000Z</launchTime>",
        account, id, account, account, id, number >> 8 & 255, number & 255, r->region);
    add("<placement><availabilityZone>%sa</availabilityZone><groupName/><tenancy>default</tenancy></placement><monitoring><state>disabled</state></monitoring>"
        "<subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId><privateIpAddress>10.0.%u.%u</privateIpAddress><sourceDestCheck>true</sourceDestCheck>"
        "<groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>default</groupName></item></groupSet><architecture>arm64</architecture><rootDeviceType>ebs</rootDeviceType>"
        "<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-0123456789abcdef0</volumeId><status>attached</status>"
        "<attachTime>2026-01-02T03:04:06.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>",
        r->region, number >> 8 & 255, number & 255);
    add("<virtualizationType>hvm</virtualizationType><clientToken/><tagSet><item><key>Name</key><value>web-%u</value></item><item><key>account</key><value>%s</value></item>"
        "<item><key>region</key><value>%s</value></item></tagSet><hypervisor>xen</hypervisor><networkInterfaceSet/><iamInstanceProfile><arn>arn:aws:iam::%s:instance-profile/web</arn>"
        "<id>AIPA0123456789ABCDEF</id></iamInstanceProfile><ebsOptimized>true</ebsOptimized><enaSupport>true</enaSupport><cpuOptions><coreCount>2</coreCount><threadsPerCore>1</threadsPerCore></cpuOptions>"
        "<hibernationOptions><configured>false</configured></hibernationOptions><metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>"
        "<httpEndpoint>enabled</httpEndpoint></metadataOptions><enclaveOptions><enabled>false</enabled></enclaveOptions></item></instancesSet></item>",
        number, account, r->region, account);
}

static int describe_instances(Connection *c, const Request *r) {
    char token[160];
    form(r, "NextToken", token, sizeof token);
    int page = page_of(r, token);
    if (page < 0) {
        error(c, r, "400 Bad Request", "InvalidParameterValue", "NextToken is of another account, region or operation");
        return FAILED;
    }
    add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>%llu</requestId><reservationSet>", stats.requests);
    for (int i = 0; i < option_instances; i++) instance(r, (unsigned)(page * option_instances + i));
    token_of(r, page + 1, token, sizeof token);
    add("</reservationSet>");
    if (*token) add("<nextToken>%s</nextToken>", token);
    add("</DescribeInstancesResponse>");
    return OK;
}

static int list_queues(Connection *c, const Request *r) {
    char token[160], most[16];
    json(r, "NextToken", token, sizeof token);
    int page = page_of(r, token), paged = json(r, "MaxResults", most, sizeof most);
    if (page < 0) {
        error(c, r, "400 Bad Request", "InvalidParameterValue", "NextToken is of another account, region or operation");
        return FAILED;
    }
    add("{\"QueueUrls\": [");
    for (int i = 0; i < option_instances; i++)
        add("%s\"https://sqs.%s.amazonaws.com/%s/queue-%d\"", i ? "," : "", r->region, r->account, page * option_instances + i);
    token_of(r, page + 1, token, sizeof token);
    add("]");
    if (paged && *token) add(", \"NextToken\": \"%s\"", token);
    add("}");
    return OK;
}

static int list_iam(Connection *c, const Request *r, const char *thing, const char *prefix) {
    char marker[160];
    form(r, "Marker", marker, sizeof marker);
    int page = page_of(r, marker);
    if (page < 0) {
        error(c, r, "400 Bad Request", "ValidationError", "Marker is of another account or operation");
        return FAILED;
    }
    add("<List%ssResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><List%ssResult><%ss>", thing, thing, thing);
    for (int i = 0; i < option_instances; i++) {
        int number = page * option_instances + i;
        add("<member><Path>/</Path><%sName>%c%d</%sName><%sId>%s%012d%04d</%sId><Arn>arn:aws:iam::%s:%s/%c%d</Arn><CreateDate>2026-01-02T03:04:05Z</CreateDate></member>",
            thing, *thing, number, thing, thing, prefix, number, number % 10000, thing, r->account, *thing == 'R' ? "role" : "user", *thing, number);
    }
    token_of(r, page + 1, marker, sizeof marker);
    add("</%ss><IsTruncated>%s</IsTruncated>", thing, *marker ? "true" : "false");
    if (*marker) add("<Marker>%s</Marker>", marker);
    add("</List%ssResult><ResponseMetadata><RequestId>%llu</RequestId></ResponseMetadata></List%ssResponse>", thing, stats.requests, thing);
    return OK;
}

static void account_json(const char *id) {
    add("{\"Id\": \"%s\", \"Arn\": \"arn:aws:organizations::%s:account/o-nullaws0000/%s\", \"Email\": \"%s@example.com\", \"Name\": \"account-%s\", \"Status\": \"ACTIVE\", "
        "\"State\": \"ACTIVE\", \"Paths\": [\"o-nullaws0000/r-null/%s/\"], \"JoinedMethod\": \"CREATED\", \"JoinedTimestamp\": 1767323045}", id, caller, id, id, id, id);
}

static int organizations(Connection *c, const Request *r) {
    char token[160] = "", id[ID + 8];
    if (!strcmp(r->operation, "DescribeOrganization"))
        add("{\"Organization\": {\"Id\": \"o-nullaws0000\", \"Arn\": \"arn:aws:organizations::%s:organization/o-nullaws0000\", \"FeatureSet\": \"ALL\", "
            "\"MasterAccountArn\": \"arn:aws:organizations::%s:account/o-nullaws0000/%s\", \"MasterAccountId\": \"%s\", \"MasterAccountEmail\": \"root@example.com\"}}",
            caller, caller, caller, caller);
    else if (!strcmp(r->operation, "ListRoots"))
        add("{\"Roots\": [{\"Id\": \"r-null\", \"Arn\": \"arn:aws:organizations::%s:root/o-nullaws0000/r-null\", \"Name\": \"Root\", \"PolicyTypes\": []}]}", caller);
    else if (!strcmp(r->operation, "ListOrganizationalUnitsForParent")) add("{\"OrganizationalUnits\": []}");
    else if (!strcmp(r->operation, "ListTagsForResource")) {
        json(r, "ResourceId", id, sizeof id);
        add("{\"Tags\": [{\"Key\": \"number\", \"Value\": \"%s\"}]}", id);
    } else if (!strcmp(r->operation, "DescribeAccount")) {
        json(r, "AccountId", id, sizeof id);
        add("{\"Account\": ");
        account_json(id);
        add("}");
    } else if (!strcmp(r->operation, "ListAccounts") || !strcmp(r->operation, "ListAccountsForParent")) {
        json(r, "NextToken", token, sizeof token);
        int page = page_of(r, token), first = page * 20;
        if (page < 0) {
            error(c, r, "400 Bad Request", "InvalidInputException", "NextToken is of another operation");
            return FAILED;
        }
        add("{\"Accounts\": [");
        for (int i = first; i < option_accounts && i < first + 20; i++) {
            snprintf(id, sizeof id, "%lld", FIRST_ACCOUNT + i);
            if (i > first) add(", ");
            account_json(id);
        }
        add("]");
        if (first + 20 < option_accounts) add(", \"NextToken\": \"%s.%s.%s.%d\"", r->account, r->region, r->operation, page + 1);
        add("}");
    } else return -1;
    return OK;
}

static int dispatch(Connection *c, Request *r) {
    const char *operation = r->operation;
    text_len = 0;
    int regional = strcmp(operation, "DescribeRegions") && strcmp(operation, "ListRegions");
    if (strcmp(r->service, "sts")) {
        if (regional && holds(&hanging, r)) return HANGS;
        if (regional && holds(&denied, r)) {
            if (r->protocol == EC2) error(c, r, "403 Forbidden", "UnauthorizedOperation", "You are not authorized to perform this operation.");
            else if (r->protocol == QUERY) error(c, r, "403 Forbidden", "AccessDenied", "User is not authorized to perform this operation");
            else error(c, r, r->protocol == REST ? "403 Forbidden" : "400 Bad Request", "AccessDeniedException", "User is not authorized to perform this operation");
            return DENIED;
        }
        if (regional && place(r->region) < REGIONS && !enabled(place(r->region))) {
            if (r->protocol == EC2) error(c, r, "401 Unauthorized", "AuthFailure", "AWS was not able to validate the provided access credentials");
            else if (r->protocol == QUERY) error(c, r, "403 Forbidden", "InvalidClientTokenId", "The security token included in the request is invalid");
            else error(c, r, r->protocol == REST ? "403 Forbidden" : "400 Bad Request", "UnrecognizedClientException", "The security token included in the request is invalid.");
            return DENIED;
        }
        if (regional && holds(&failing, r)) {
            if (r->protocol == EC2) error(c, r, "500 Internal Server Error", "InternalError", "An internal error has occurred");
            else error(c, r, "500 Internal Server Error", r->protocol == QUERY ? "ServiceFailure" : "InternalFailure", "An internal error has occurred");
            return FAILED;
        }
        if ((regional && holds(&throttled, r)) || !within_quota(r)) {
            if (r->protocol == EC2) error(c, r, "503 Service Unavailable", "RequestLimitExceeded", "Request limit exceeded.");
            else if (r->protocol == QUERY) error(c, r, "400 Bad Request", "Throttling", "Rate exceeded");
            else error(c, r, r->protocol == REST ? "429 Too Many Requests" : "400 Bad Request", "ThrottlingException", "Rate exceeded");
            return THROTTLED;
        }
    }
    int kind = -1;
#define IS(of, name) (!strcmp(r->service, of) && !strcmp(operation, name))
    if (IS("sts", "AssumeRole")) kind = assume_role(c, r);
    else if (IS("sts", "GetCallerIdentity")) kind = identity(r);
    else if (IS("ec2", "DescribeRegions")) kind = describe_regions(r);
    else if (IS("ec2", "DescribeInstances")) kind = describe_instances(c, r);
    else if (IS("account", "ListRegions")) kind = list_regions(r);
    else if (IS("sqs", "ListQueues")) kind = list_queues(c, r);
    else if (IS("iam", "ListRoles")) kind = list_iam(c, r, "Role", "AROA");
    else if (IS("iam", "ListUsers")) kind = list_iam(c, r, "User", "AIDA");
    else if (!strcmp(r->service, "organizations")) kind = organizations(c, r);
    if (kind < 0) {
        error(c, r, "400 Bad Request", r->protocol == EC2 || r->protocol == QUERY ? "InvalidAction" : "UnknownOperationException", "nullaws knows no such operation");
        return FAILED;
    }
    if (kind == OK) answer(c, r, "200 OK", "");
    return kind;
}

static void tell(Connection *c, const Request *r) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    text_len = 0;
    add("{\"requests\": %llu, \"connections\": %llu, \"open\": %llu, \"most_open\": %llu, \"mixed\": %llu, \"cpu\": %.6f, \"operations\": {",
        stats.requests, stats.connections, stats.open, stats.most, stats.mixed, cpu);
    for (int i = 0; i < operation_count; i++) {
        Operation *o = &operations[i];
        add("%s\"%s\": {\"calls\": %llu, \"first\": %.6f, \"last\": %.6f", i ? ", " : "", o->name, o->calls, o->first, o->last);
        for (int kind = 0; kind < KINDS; kind++) add(", \"%s\": %llu", kinds[kind], o->by[kind]);
        add("}");
    }
    add("}}\n");
    answer(c, r, "200 OK", "");
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

static void copy(char *to, size_t size, const char *from, size_t length) {
    if (length >= size) length = size - 1;
    memcpy(to, from, length);
    to[length] = 0;
}

static void credential(Request *r, const char *value, size_t length) { /* KEY/DATE/REGION/SERVICE/aws4_request */
    const char *at = memmem(value, length, "Credential=", 11), *end = value + length, *slash;
    if (!at) return;
    at += 11;
    for (int part = 0; part < 4 && (slash = memchr(at, '/', (size_t)(end - at))); part++, at = slash + 1) {
        size_t n = (size_t)(slash - at);
        if (part == 0) copy(r->key, sizeof r->key, at, n);
        else if (part == 2) copy(r->region, sizeof r->region, at, n);
        else if (part == 3) copy(r->service, sizeof r->service, at, n);
    }
}

static long long parse(Request *r, const char *at, const char *end) { /* end: the empty line; the body's length, or -1 */
    long long length = 0;
    memset(r, 0, sizeof *r);
    const char *line_end = memmem(at, (size_t)(end + 2 - at), "\r\n", 2), *space = memchr(at, ' ', (size_t)(line_end - at));
    const char *stop = space ? memchr(space + 1, ' ', (size_t)(line_end - space - 1)) : NULL;
    if (!stop) return -1;
    copy(r->path, sizeof r->path, space + 1, (size_t)(stop - space - 1));
    for (at = line_end + 2; at < end; at = line_end + 2) {
        line_end = memmem(at, (size_t)(end + 2 - at), "\r\n", 2);
        const char *colon = memchr(at, ':', (size_t)(line_end - at)), *value;
        if (!colon) return -1;
        for (value = colon + 1; value < line_end && *value == ' '; value++) {}
        size_t n = (size_t)(line_end - value), name = (size_t)(colon - at);
#define NAMED(text) (name == sizeof text - 1 && !strncasecmp(at, text, sizeof text - 1))
        if (NAMED("content-length")) length = atoll(value);
        else if (NAMED("connection")) r->close = !strncasecmp(value, "close", 5);
        else if (NAMED("authorization")) credential(r, value, n);
        else if (NAMED("x-amz-security-token")) copy(r->token, sizeof r->token, value, n);
        else if (NAMED("x-amz-target")) {
            const char *dot = memrchr(value, '.', n);
            copy(r->operation, sizeof r->operation, dot ? dot + 1 : value, dot ? n - (size_t)(dot + 1 - value) : n);
        }
    }
    return length;
}

static void settle(Request *r) { /* whose request it is, of which operation */
    int digits = strlen(r->key) >= 4 + ID && strspn(r->key + 4, "0123456789") >= ID;
    copy(r->account, sizeof r->account, digits ? r->key + 4 : caller, ID);
    r->protocol = !strcmp(r->service, "ec2") ? EC2 : *r->operation ? JSON : QUERY;
    if (!strcmp(r->service, "account")) r->protocol = REST, copy(r->operation, sizeof r->operation, !strcmp(r->path, "/listRegions") ? "ListRegions" : "", 11);
    else if (!*r->operation) form(r, "Action", r->operation, sizeof r->operation);
}

static Operation *operation_of(const Request *r) {
    char name[96];
    snprintf(name, sizeof name, "%s:%s", r->service, r->operation);
    for (int i = 0; i < operation_count; i++)
        if (!strcmp(operations[i].name, name)) return &operations[i];
    int room = operation_count < (int)(sizeof operations / sizeof *operations);
    Operation *made = &operations[room ? operation_count++ : operation_count - 1];
    if (room) memcpy(made->name, name, sizeof name);
    return made;
}

static int is_own_token(const Request *r) { /* a role's key comes with its own token */
    char own[64];
    if (strncmp(r->key, "ASIA", 4) || strlen(r->key) != 4 + ID + 4) return 1;
    snprintf(own, sizeof own, "token-%s-%s", r->account, r->key + 4 + ID);
    return !strcmp(own, r->token);
}

static int work(Connection *c, Request *r) { /* 0: an answer is ready, to be sent when it is due; 1: at once; 2: never */
    stats.requests++;
    if (!strcmp(r->path, "/-/stats")) {
        tell(c, r);
        return 1;
    }
    settle(r);
    Operation *operation = operation_of(r);
    int kind = DENIED;
    if (is_own_token(r)) kind = dispatch(c, r);
    else {
        stats.mixed++;
        error(c, r, "403 Forbidden", "InvalidClientTokenId", "The token is not the one of the access key");
    }
    operation->calls++;
    operation->by[kind]++;
    operation->last = now(CLOCK_REALTIME) + option_delay / 1e3;
    if (!operation->first) operation->first = operation->last;
    return kind == HANGS ? 2 : option_delay == 0;
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
    if (last_waiting) last_waiting->next = c;
    else first_waiting = c;
    last_waiting = c;
    if (first_waiting == c) arm();
}

/* -- bytes -------------------------------------------------------------------------------------------------------- */

static void drop(Connection *c) {
    stats.open--;
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void watch(Connection *c, int events) {
    if (c->watched == events) return;
    c->watched = events;
    struct epoll_event event = {.events = (uint32_t)events, .data.ptr = c};
    epoll_ctl(queue, EPOLL_CTL_MOD, c->fd, &event);
}

static int flush(Connection *c) { /* 1: all is sent, 0: the socket is full, -1: gone */
    while (c->out_pos < c->out_len) {
        ssize_t sent = send(c->fd, c->out + c->out_pos, c->out_len - c->out_pos, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return -1;
        if (sent < 0) {
            watch(c, EPOLLOUT);
            return 0;
        }
        c->out_pos += (size_t)sent;
    }
    c->out_len = c->out_pos = 0;
    watch(c, EPOLLIN);
    return c->closing ? -1 : 1;
}

/* Answer what has come, as far as it goes; -1 ends the connection. */
static int serve(Connection *c) {
    while (c->state == READING && !c->out_len) {
        char *end = c->in_len ? memmem(c->in, c->in_len, "\r\n\r\n", 4) : NULL;
        Request r;
        if (!end) return c->in_len > MOST_REQUEST ? -1 : 0;
        long long length = parse(&r, c->in, end);
        size_t head = (size_t)(end + 4 - c->in);
        if (length < 0 || length > MOST_REQUEST) return -1;
        if (c->in_len < head + (size_t)length) return 0;
        r.body = c->in + head;
        r.length = (size_t)length;
        int when = work(c, &r);
        if (r.close) c->closing = 1;
        c->in_len -= head + (size_t)length;
        memmove(c->in, c->in + head + (size_t)length, c->in_len);
        if (when == 2) c->state = HUNG;
        else if (when == 0) c->state = WAITING, later(c);
        else if (flush(c) < 0) return -1;
    }
    return 0;
}

static void due(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    while (first_waiting && (first_waiting->due.tv_sec < time.tv_sec || (first_waiting->due.tv_sec == time.tv_sec && first_waiting->due.tv_nsec <= time.tv_nsec))) {
        Connection *c = first_waiting;
        first_waiting = c->next;
        if (!first_waiting) last_waiting = NULL;
        c->state = READING;
        if (c->gone || flush(c) < 0 || serve(c)) drop(c);
    }
    if (first_waiting) arm();
}

static void handle(Connection *c, uint32_t events) {
    if (events & EPOLLOUT && (flush(c) < 0 || serve(c))) {
        drop(c);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    if (c->in_len == c->in_size) c->in = realloc(c->in, c->in_size *= 2);
    ssize_t got = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) c->in_len += (size_t)got;
    if (got > 0 && !serve(c)) return;
    if (c->state == WAITING) { /* it stands in the queue */
        c->gone = 1;
        epoll_ctl(queue, EPOLL_CTL_DEL, c->fd, NULL);
    } else drop(c);
}

/* -- the loop ----------------------------------------------------------------------------------------------------- */

static int listener(int *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
        perror("nullaws");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

static void accept_all(int fd) {
    for (;;) {
        int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;
        if (got < 0) return;
        setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection *c = calloc(1, sizeof *c);
        c->fd = got;
        c->in = malloc(c->in_size = 8192);
        c->watched = EPOLLIN;
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

static void number(int count, char **arguments, const char *name, int *value) {
    const char *found = option(count, arguments, name);
    if (found) *value = atoi(found);
}

static void list(int count, char **arguments, const char *name, List *value) {
    const char *at = option(count, arguments, name);
    while (at && *at) {
        size_t length = strcspn(at, ",");
        value->items = realloc(value->items, (size_t)(value->count + 1) * sizeof *value->items);
        copy(value->items[value->count++], sizeof *value->items, at, length);
        at += length + (at[length] == ',');
    }
}

int main(int count, char **arguments) {
    static int listening_mark, timer_mark;
    int port = 0;
    const char *value;
    struct rlimit files;
    number(count, arguments, "--port", &port);
    number(count, arguments, "--delay-ms", &option_delay);
    number(count, arguments, "--accounts", &option_accounts);
    number(count, arguments, "--regions", &option_regions);
    number(count, arguments, "--instances", &option_instances);
    number(count, arguments, "--pages", &option_pages);
    list(count, arguments, "--deny", &denied);
    list(count, arguments, "--error500", &failing);
    list(count, arguments, "--throttle", &throttled);
    list(count, arguments, "--hang", &hanging);
    list(count, arguments, "--deny-roles", &no_role);
    list(count, arguments, "--disabled", &disabled);
    if ((value = option(count, arguments, "--caller"))) copy(caller, sizeof caller, value, ID);
    if ((value = option(count, arguments, "--quota")) && sscanf(value, "%lf:%lf", &quota_rate, &quota_burst) != 2) {
        fprintf(stderr, "nullaws: --quota is RATE:BURST\n");
        return 2;
    }
    if ((value = option(count, arguments, "--quota-scope")))
        by_account = strstr(value, "account") != NULL, by_region = strstr(value, "region") != NULL, by_operation = strstr(value, "operation") != NULL;
    signal(SIGPIPE, SIG_IGN);
    if (!getrlimit(RLIMIT_NOFILE, &files)) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
    text = malloc(text_size = 1 << 16);
    queue = epoll_create1(EPOLL_CLOEXEC);
    int listening = listener(&port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listening_mark};
    epoll_ctl(queue, EPOLL_CTL_ADD, listening, &event);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    event.data.ptr = &timer_mark;
    epoll_ctl(queue, EPOLL_CTL_ADD, timer, &event);
    printf("ready %d\n", port);
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(queue, events, EVENTS, -1), is_due = 0;
        clock_gettime(CLOCK_MONOTONIC, &woken);
        for (int i = 0; i < ready; i++) {
            void *mark = events[i].data.ptr;
            unsigned long long times;
            if (mark == &listening_mark) accept_all(listening);
            else if (mark == &timer_mark) is_due = read(timer, &times, sizeof times) > 0;
            else handle(mark, events[i].events);
        }
        if (is_due) due(); /* after the events: it may drop connections that they name */
    }
}
