// What the answers of AWS mean. Each protocol writes its errors in another way, and services write
// the same thing in different words.
#include "deploy/cloud/aws_wire.h"
#include "deploy/cloud/aws_xml.h"
#include "gate/doc/json.h"

enum { CODE_MOST = 120, MESSAGE_MOST = 400, ID_MOST = 120 };

static bool among(str code, const char *const *words)
{
    for (; *words; words++)
        if (str_is(code, *words))
            return true;
    return false;
}

// "com.amazonaws.ecs#ServiceNotFoundException", "ResourceNotFoundException:http://…"
static str bare(str code)
{
    size_t hash = str_find(code, '#');
    code = hash == STR_NONE ? code : str_from(code, hash + 1);
    return str_cut(&code, ':');
}

static str kept(struct arena *arena, str s, size_t most)
{
    return cloud_line(arena, str_shorten(str_trim(s), most));
}

static void read_json(const struct http_answer *answer, struct arena *arena,
                      struct cloud_fault *fault)
{
    const struct node *tree = NULL;
    struct error unread;
    str code = cloud_header(answer->headers, "x-amzn-ErrorType"), message = {NULL, 0};
    if (json_parse(arena, NULL, answer->body, &tree, &unread)) {
        if (!code.len && !json_get_str(tree, "__type", &code))
            (void)json_get_str(tree, "code", &code);
        if (!json_get_str(tree, "message", &message))
            (void)json_get_str(tree, "Message", &message);
    }
    fault->code = kept(arena, bare(code), CODE_MOST);
    fault->message = kept(arena, message, MESSAGE_MOST);
}

static void read_xml(const struct http_answer *answer, struct arena *arena,
                     struct cloud_fault *fault)
{
    const struct node *tree = NULL, *inner = NULL;
    struct error unread;
    if (!aws_xml_read(arena, answer->body, &tree, &unread))
        return;
    for (const struct node *at = tree; at; at = at->first) // <Errors><Error>, <Error>, or neither
        if (node_get(at, "Code")) {
            inner = at;
            break;
        } else if (node_get(at, "Error")) {
            inner = node_get(at, "Error");
            break;
        }
    fault->code = kept(arena, node_text(inner, "Code"), CODE_MOST);
    fault->message = kept(arena, node_text(inner, "Message"), MESSAGE_MOST);
    str id = node_text(tree, "RequestId");
    fault->request_id = kept(arena, id.len ? id : node_text(inner, "RequestId"), ID_MOST);
}

str aws_request_id(const struct http_answer *answer, struct arena *arena)
{
    static const char *const names[] = {"x-amzn-RequestId", "x-amz-request-id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        str id = cloud_header(answer->headers, names[i]);
        if (id.len)
            return kept(arena, id, ID_MOST);
    }
    return (str){NULL, 0};
}

static bool is_throttled(const struct cloud_fault *fault)
{
    static const char *const words[] = {"Throttling",
                                        "ThrottlingException",
                                        "ThrottledException",
                                        "RequestThrottled",
                                        "RequestThrottledException",
                                        "RequestLimitExceeded",
                                        "TooManyRequestsException",
                                        "BandwidthLimitExceeded",
                                        "LimitExceededException",
                                        "PriorRequestNotComplete",
                                        "ProvisionedThroughputExceededException",
                                        "SlowDown",
                                        "EC2ThrottledException",
                                        NULL};
    // Of LimitExceededException only that of a rate: the quota of a resource does not pass.
    if (str_is(fault->code, "LimitExceededException"))
        return str_search(fault->message, STR("Rate exceeded")) != STR_NONE;
    return fault->status == 429 || among(fault->code, words);
}

enum aws_meaning aws_understand(const struct aws_service *service, const struct http_answer *answer,
                                struct arena *arena, struct cloud_fault *ret)
{
    static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException",
                                          "TokenRefreshRequired", NULL};
    static const char *const clock[] = {"RequestTimeTooSkewed",
                                        "RequestExpired",
                                        "RequestInTheFuture",
                                        "AuthFailure",
                                        "SignatureDoesNotMatch",
                                        "InvalidSignatureException",
                                        NULL};
    static const char *const passing[] = {"RequestTimeout",     "RequestTimeoutException",
                                          "InternalError",      "InternalFailure",
                                          "ServiceUnavailable", NULL};
    struct cloud_fault fault = {.status = answer->status};
    if (answer->status >= 200 && answer->status < 300)
        return AWS_FINE;
    if (service->protocol == AWS_QUERY || service->protocol == AWS_REST_XML)
        read_xml(answer, arena, &fault);
    else
        read_json(answer, arena, &fault);
    str id = aws_request_id(answer, arena);
    if (id.len)
        fault.request_id = id;
    enum aws_meaning meaning = AWS_REFUSED;
    if (is_throttled(&fault))
        meaning = AWS_THROTTLED;
    else if (answer->status >= 500 || among(fault.code, passing))
        meaning = AWS_BROKEN;
    else if (among(fault.code, expired))
        meaning = AWS_EXPIRED;
    else if (among(fault.code, clock))
        meaning = AWS_CLOCK;
    fault.throttled = meaning == AWS_THROTTLED;
    *ret = fault;
    return meaning;
}

static enum error_kind kind_of(const struct cloud_fault *fault, enum aws_meaning meaning)
{
    static const char *const denied[] = {"AccessDenied",
                                         "AccessDeniedException",
                                         "UnauthorizedOperation",
                                         "UnrecognizedClientException",
                                         "InvalidClientTokenId",
                                         "InvalidAccessKeyId",
                                         "MissingAuthenticationToken",
                                         "IncompleteSignature",
                                         "OptInRequired",
                                         NULL};
    static const char *const absent[] = {"NoSuchBucket", "NoSuchKey", "NoSuchEntity", NULL};
    if (meaning == AWS_THROTTLED || meaning == AWS_BROKEN)
        return ERROR_TRANSIENT;
    if (fault->status == 401 || fault->status == 403 || meaning == AWS_EXPIRED ||
        meaning == AWS_CLOCK || among(fault->code, denied))
        return ERROR_DENIED;
    if (fault->status == 404 || among(fault->code, absent) ||
        str_search(fault->code, STR("NotFound")) != STR_NONE)
        return ERROR_ABSENT;
    return ERROR_REMOTE;
}

bool aws_fault_error(const struct aws_service *service, const char *action,
                     const struct cloud_fault *fault, enum aws_meaning meaning, struct error *err)
{
    bool has_id = fault->request_id.len > 0;
    return error_set(err, kind_of(fault, meaning),
                     "%s %s: " STR_FMT "%s" STR_FMT " (status %ld%s" STR_FMT ")", service->name,
                     action ? action : "", STR_ARG(fault->code.len ? fault->code : STR("refused")),
                     fault->message.len ? ": " : "", STR_ARG(fault->message), fault->status,
                     has_id ? ", request " : "", STR_ARG(fault->request_id));
}
