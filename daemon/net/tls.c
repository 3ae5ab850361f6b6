#include "daemon/net/tls.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { RECORD = 16384, URI_MAX = 256 };

static const char alpn[] = "brp/1";
static const char unit_prefix[] = "urn:baocao:unit:";
static const char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

struct baod_tls {
    unsigned refs;
    bool server, asks; /* clients for their certificate */
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    struct baod_tls_span revoked; /* GnuTLS gives the list away only once */
};

static const struct baod_tls_span always = {.from = INT64_MIN, .to = INT64_MAX};

/* One connection. The pointers to buffers are set for the length of a call. */
struct session {
    gnutls_session_t gnutls;
    struct baod_tls *tls;
    struct bao_str in;
    struct bao_buf *wire;
    bool done; /* the handshake */
    int error;
    bool has_certificate, trusted;
    const char *const *complaint;
    char *host;  /* the server's name; GnuTLS only borrows it */
    char *units; /* NUL-terminated codes one after the other */
    size_t n_units;
};

/* Credentials. */

struct baod_tls *baod_tls_ref(struct baod_tls *tls)
{
    tls->refs++;
    return tls;
}

struct baod_tls *baod_tls_unref(struct baod_tls *tls)
{
    if (tls == NULL || --tls->refs != 0)
        return NULL;
    if (tls->credentials != NULL)
        gnutls_certificate_free_credentials(tls->credentials);
    if (tls->priority != NULL)
        gnutls_priority_deinit(tls->priority);
    free(tls);
    return NULL;
}

/* GnuTLS's number as ours; the text is kept. */
static int complain(int r, const char *file, const char **ret_why, const char **ret_file)
{
    *ret_why = gnutls_strerror(r);
    *ret_file = file;
    return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;
}

/* Narrows a span to what it shares with another; -1 is a bound that is not said. */
static void narrow(struct baod_tls_span *span, time_t from, time_t to)
{
    if (from != (time_t)-1 && from > span->from)
        span->from = from;
    if (to != (time_t)-1 && to < span->to)
        span->to = to;
}

/* 0 or GnuTLS's number. */
static int load_revoked(struct baod_tls *tls, const char *file)
{
    gnutls_x509_crl_t *lists = NULL;
    gnutls_datum_t text;
    unsigned n = 0;
    int r = gnutls_load_file(file, &text);

    if (r < 0)
        return r;
    r = gnutls_x509_crl_list_import2(&lists, &n, &text, GNUTLS_X509_FMT_PEM, 0);
    gnutls_free(text.data);
    if (r < 0)
        return r;
    r = gnutls_certificate_set_x509_crl(tls->credentials, lists, (int)n);
    for (unsigned i = 0; i < n; i++) {
        narrow(&tls->revoked, gnutls_x509_crl_get_this_update(lists[i]),
               gnutls_x509_crl_get_next_update(lists[i]));
        gnutls_x509_crl_deinit(lists[i]);
    }
    gnutls_free(lists);
    return r < 0 ? r : 0;
}

static int load_files(struct baod_tls *tls, const struct baod_tls_files *files, const char **ret_why,
                      const char **ret_file)
{
    int r;

    if (files->certificate != NULL) {
        r = gnutls_certificate_set_x509_key_file(tls->credentials, files->certificate, files->key,
                                                 GNUTLS_X509_FMT_PEM);
        if (r < 0)
            return complain(r, files->certificate, ret_why, ret_file);
    }
    if (files->authorities != NULL)
        r = gnutls_certificate_set_x509_trust_file(tls->credentials, files->authorities, GNUTLS_X509_FMT_PEM);
    else
        r = tls->server ? 1 : gnutls_certificate_set_x509_system_trust(tls->credentials);
    if (r <= 0 &&
        files->authorities != NULL) /* a system without authorities is met when a server is checked */
        return complain(r == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : r, files->authorities, ret_why, ret_file);
    r = files->revoked != NULL ? load_revoked(tls, files->revoked) : 0;
    return r < 0 ? complain(r, files->revoked, ret_why, ret_file) : 0;
}

static int load(const struct baod_tls_files *files, bool server, struct baod_tls **ret, const char **ret_why,
                const char **ret_file)
{
    struct baod_tls *tls = calloc(1, sizeof(*tls));
    int r;

    if (tls == NULL)
        return complain(GNUTLS_E_MEMORY_ERROR, NULL, ret_why, ret_file);
    tls->refs = 1;
    tls->server = server;
    tls->revoked = always;
    tls->asks = server && files->authorities != NULL;
    r = gnutls_certificate_allocate_credentials(&tls->credentials);
    if (r >= 0)
        r = gnutls_priority_init(&tls->priority, versions, NULL);
    r = r < 0 ? complain(r, NULL, ret_why, ret_file) : load_files(tls, files, ret_why, ret_file);
    if (r < 0) {
        baod_tls_unref(tls);
        return r;
    }
    *ret = tls;
    return 0;
}

int baod_tls_load_server(const struct baod_tls_files *files, struct baod_tls **ret, const char **ret_why,
                         const char **ret_file)
{
    return load(files, true, ret, ret_why, ret_file);
}

int baod_tls_load_client(const struct baod_tls_files *files, struct baod_tls **ret, const char **ret_why,
                         const char **ret_file)
{
    return load(files, false, ret, ret_why, ret_file);
}

static void narrow_to(struct baod_tls_span *span, gnutls_x509_crt_t certificate)
{
    narrow(span, gnutls_x509_crt_get_activation_time(certificate),
           gnutls_x509_crt_get_expiration_time(certificate));
}

struct baod_tls_spans baod_tls_spans(const struct baod_tls *tls)
{
    struct baod_tls_spans ret = {.certificate = always, .authorities = always, .revoked = tls->revoked};
    gnutls_x509_trust_list_t authorities;
    gnutls_x509_trust_list_iter_t at = NULL;
    gnutls_x509_crt_t *chain, authority;
    unsigned n = 0;

    if (gnutls_certificate_get_x509_crt(tls->credentials, 0, &chain, &n) >= 0) {
        if (n != 0)
            narrow_to(&ret.certificate, chain[0]);
        for (unsigned i = 0; i < n; i++)
            gnutls_x509_crt_deinit(chain[i]);
        gnutls_free(chain);
    }
    gnutls_certificate_get_trust_list(tls->credentials, &authorities);
    while (gnutls_x509_trust_list_iter_get_ca(authorities, &at, &authority) >= 0) {
        narrow_to(&ret.authorities, authority);
        gnutls_x509_crt_deinit(authority);
    }
    gnutls_x509_trust_list_iter_deinit(at);
    return ret;
}

/* Octets to and from GnuTLS. */

static ssize_t pull(gnutls_transport_ptr_t p, void *to, size_t size)
{
    struct session *s = p;
    size_t n = s->in.n < size ? s->in.n : size;

    if (n == 0) {
        gnutls_transport_set_errno(s->gnutls, EAGAIN);
        return -1;
    }
    memcpy(to, s->in.p, n);
    s->in.p += n;
    s->in.n -= n;
    return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
    const struct session *s = p;

    (void)ms;
    return s->in.n != 0;
}

static ssize_t push(gnutls_transport_ptr_t p, const void *from, size_t n)
{
    struct session *s = p;

    if (s->wire == NULL || bao_buf_append(s->wire, from, n) < 0) {
        gnutls_transport_set_errno(s->gnutls, ENOBUFS);
        return -1;
    }
    return (ssize_t)n;
}

static int fail(struct session *s, int r)
{
    s->error = r;
    return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EPROTO;
}

/* The other side's certificate. */

static const struct {
    unsigned bit;
    const char *say[BAO_LANGS];
} complaints[] = {
    {GNUTLS_CERT_REVOKED, {"đã bị thu hồi", "revoked"}},
    {GNUTLS_CERT_EXPIRED, {"đã hết hạn", "expired"}},
    {GNUTLS_CERT_NOT_ACTIVATED, {"chưa đến ngày có hiệu lực", "not yet valid"}},
    {GNUTLS_CERT_SIGNER_NOT_FOUND, {"do nơi lạ cấp", "signed by an unknown authority"}},
    {GNUTLS_CERT_PURPOSE_MISMATCH, {"không phải loại cấp cho đơn vị", "not made for clients"}},
    {~0u, {"không hợp lệ", "not valid"}},
};

static const char *const *complaint_of(unsigned status)
{
    for (size_t i = 0; i + 1 < BAO_COUNT(complaints); i++)
        if ((status & complaints[i].bit) != 0)
            return complaints[i].say;
    return complaints[BAO_COUNT(complaints) - 1].say;
}

/* Reads the unit codes of a certificate: 0 or -ENOMEM. */
static int read_units(struct session *s, gnutls_x509_crt_t certificate)
{
    struct bao_buf units = BAO_BUF_NULL(BAOD_TLS_UNITS * URI_MAX);
    size_t prefix = sizeof(unit_prefix) - 1;
    char uri[URI_MAX];
    int r = 0;

    for (unsigned i = 0; s->n_units < BAOD_TLS_UNITS && r == 0; i++) {
        size_t n = sizeof(uri);
        int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, uri, &n, NULL);

        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue; /* longer than any unit of ours */
        if (type < 0)
            break;
        if (type != GNUTLS_SAN_URI || n <= prefix || memcmp(uri, unit_prefix, prefix) != 0)
            continue;
        r = bao_buf_append(&units, uri + prefix, n - prefix);
        if (r == 0)
            r = bao_buf_append(&units, "", 1);
        s->n_units += r == 0;
    }
    if (r == 0 && s->n_units != 0) { /* a copy without the buffer's slack: it stays for long */
        s->units = malloc(bao_buf_len(&units));
        if (s->units != NULL)
            memcpy(s->units, bao_buf_data(&units), bao_buf_len(&units));
        else
            r = -ENOMEM;
    }
    if (r < 0)
        s->n_units = 0;
    bao_buf_deinit(&units);
    return r;
}

/* Is the other side's certificate good? GnuTLS's number and what is wrong. */
static int check_peer(struct session *s, unsigned *ret_status)
{
    gnutls_typed_vdata_st client = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                    .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT};

    return gnutls_certificate_verify_peers(s->gnutls, &client, 1, ret_status);
}

static int read_certificate(struct session *s)
{
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t certificate;
    unsigned n = 0, status = 0;
    int r;

    chain = gnutls_certificate_get_peers(s->gnutls, &n);
    if (chain == NULL || n == 0)
        return 0;
    s->has_certificate = true;
    r = check_peer(s, &status);
    s->trusted = r == 0 && status == 0;
    if (!s->trusted) {
        s->complaint = complaint_of(r == 0 ? status : 0);
        return 0;
    }
    r = gnutls_x509_crt_init(&certificate);
    if (r < 0)
        return -ENOMEM;
    r = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER);
    r = r < 0 ? fail(s, r) : read_units(s, certificate);
    gnutls_x509_crt_deinit(certificate);
    return r;
}

void baod_tls_peer(const void *state, struct baod_tls_peer *ret)
{
    const struct session *s = state;
    const char *at = s->units;

    *ret = (struct baod_tls_peer){
        .has_certificate = s->has_certificate, .trusted = s->trusted, .complaint = s->complaint};
    for (size_t i = 0; i < s->n_units; i++) {
        ret->units[ret->n_units++] = bao_str_c(at);
        at += strlen(at) + 1;
    }
}

bool baod_tls_renew(void *state, struct baod_tls *tls)
{
    struct session *s = state;
    unsigned status = 0;

    if (s->gnutls != NULL && gnutls_credentials_set(s->gnutls, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0)
        return true; /* no memory: as it was; the next reload asks again */
    tls = baod_tls_ref(tls);
    baod_tls_unref(s->tls);
    s->tls = tls;
    if (!s->trusted)
        return true;
    s->trusted = check_peer(s, &status) == 0 && status == 0;
    if (!s->trusted)
        s->complaint = complaint_of(status);
    return s->trusted;
}

static enum baod_tls_trouble trouble_of_certificate(unsigned status)
{
    if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
        return BAOD_TLS_AUTHORITY;
    if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0)
        return BAOD_TLS_TIME;
    return (status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0 ? BAOD_TLS_NAME : BAOD_TLS_AUTHORITY;
}

enum baod_tls_trouble baod_tls_trouble(const void *state)
{
    const struct session *s = state;

    switch (s->error) {
    case 0:
        return BAOD_TLS_FINE;
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
        return trouble_of_certificate(gnutls_session_get_verify_cert_status(s->gnutls));
    case GNUTLS_E_NO_APPLICATION_PROTOCOL:
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
        return BAOD_TLS_PROTOCOL;
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        return gnutls_alert_get(s->gnutls) == GNUTLS_A_NO_APPLICATION_PROTOCOL ? BAOD_TLS_PROTOCOL
                                                                               : BAOD_TLS_REFUSED;
    default:
        return BAOD_TLS_OTHER;
    }
}

/* Why a handshake failed, for a server's log, where GnuTLS's own words leave an operator in doubt. */
static const struct {
    int error;
    int alert; /* -1: none, or any */
    const char *why;
} reasons[] = {
    {GNUTLS_E_FATAL_ALERT_RECEIVED, GNUTLS_A_BAD_CERTIFICATE, "it does not trust the hub's certificate"},
    {GNUTLS_E_FATAL_ALERT_RECEIVED, GNUTLS_A_CERTIFICATE_UNKNOWN, "it does not trust the hub's certificate"},
    {GNUTLS_E_FATAL_ALERT_RECEIVED, GNUTLS_A_UNKNOWN_CA,
     "it does not know the authority of the hub's certificate"},
    {GNUTLS_E_FATAL_ALERT_RECEIVED, GNUTLS_A_CERTIFICATE_EXPIRED,
     "by its clock the hub's certificate is out of time"},
    {GNUTLS_E_DECRYPTION_FAILED, -1, /* OpenSSL's alert is not enciphered at that point */
     "it broke the handshake off, most often as it does not trust the hub's certificate"},
    {GNUTLS_E_UNEXPECTED_PACKET, -1, "it does not speak TLS"},
    {GNUTLS_E_UNEXPECTED_PACKET_LENGTH, -1, "it does not speak TLS"},
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, -1, "it does not speak TLS 1.3"},
    {GNUTLS_E_NO_CIPHER_SUITES, -1, "it offers no cipher of TLS 1.3"},
};

static const char *tls_why(const void *state)
{
    const struct session *s = state;

    if (s->error == 0)
        return NULL;
    for (size_t i = 0; i < BAO_COUNT(reasons) && !s->done; i++)
        if (reasons[i].error == s->error &&
            (reasons[i].alert < 0 || reasons[i].alert == (int)gnutls_alert_get(s->gnutls)))
            return reasons[i].why;
    return gnutls_strerror(s->error);
}

/* The transformer. */

/* What GnuTLS keeps of extensions that only the handshake asks for: a tenth of an idle connection. */
static void forget_extensions(gnutls_session_t session)
{
    static const unsigned done[] = {13 /* signature algorithms */, 16 /* ALPN */, 0xff01 /* renegotiation */};

    for (size_t i = 0; i < BAO_COUNT(done); i++)
        (void)gnutls_ext_set_data(session, done[i], NULL); /* one that is not there: nothing to forget */
}

static bool is_address(const char *host)
{
    struct in6_addr any;

    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* GnuTLS's part of a session, two thirds of its memory, from its first octet on: 0 or GnuTLS's number. */
static int set_up(struct session *s)
{
    const gnutls_datum_t protocol = {(unsigned char *)alpn, sizeof(alpn) - 1};
    const struct baod_tls *tls = s->tls;
    int r = gnutls_init(&s->gnutls,
                        (tls->server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

    if (r < 0) {
        s->gnutls = NULL;
        return r;
    }
    r = gnutls_priority_set(s->gnutls, tls->priority);
    if (r >= 0)
        r = gnutls_credentials_set(s->gnutls, GNUTLS_CRD_CERTIFICATE, tls->credentials);
    if (r >= 0)
        r = gnutls_alpn_set_protocols(s->gnutls, &protocol, 1, GNUTLS_ALPN_MANDATORY);
    if (r >= 0 && s->host != NULL && !is_address(s->host))
        r = gnutls_server_name_set(s->gnutls, GNUTLS_NAME_DNS, s->host, strlen(s->host));
    if (r < 0)
        return r;
    gnutls_transport_set_ptr(s->gnutls, s);
    gnutls_transport_set_push_function(s->gnutls, push);
    gnutls_transport_set_pull_function(s->gnutls, pull);
    gnutls_transport_set_pull_timeout_function(s->gnutls, pull_timeout);
    gnutls_handshake_set_timeout(s->gnutls, GNUTLS_INDEFINITE_TIMEOUT); /* the owner keeps the time */
    if (tls->asks)
        gnutls_certificate_server_set_request(s->gnutls, GNUTLS_CERT_REQUEST);
    if (!tls->server)
        gnutls_session_set_verify_cert(s->gnutls, s->host, 0);
    return 0;
}

/* Goes on with the handshake: 0, perhaps not yet done. */
static int shake(struct session *s)
{
    int r;

    r = s->gnutls == NULL ? set_up(s) : 0;
    if (r < 0)
        return fail(s, r);
    do
        r = gnutls_handshake(s->gnutls);
    while (r < 0 && r != GNUTLS_E_AGAIN && gnutls_error_is_fatal(r) == 0);
    if (r == GNUTLS_E_AGAIN)
        return 0;
    if (r < 0) {
        (void)gnutls_alert_send_appropriate(s->gnutls, r); /* the failure is told either way */
        return fail(s, r);
    }
    s->done = true;
    if (!s->tls->server)
        return 0;
    forget_extensions(s->gnutls);
    return read_certificate(s);
}

static int tls_start(void *state, struct bao_buf *wire)
{
    struct session *s = state;
    int r = 0;

    s->wire = wire;
    if (!s->tls->server) /* a server's begins with the other side's octets, when their turn has come */
        r = shake(s);
    s->wire = NULL;
    return r;
}

/* Reads records until the input is used up: 0; 1 = the other side said the end; <0. */
static int read_records(struct session *s, struct bao_buf *plain)
{
    for (;;) {
        char *room = bao_buf_room(plain, RECORD);
        ssize_t n;

        if (room == NULL)
            return -ENOBUFS;
        n = gnutls_record_recv(s->gnutls, room, RECORD);
        if (n > 0)
            bao_buf_trim(plain, (size_t)n);
        else if (n == 0)
            return 1;
        else if (n == GNUTLS_E_AGAIN)
            return 0;
        else if (gnutls_error_is_fatal((int)n) != 0)
            return fail(s, (int)n);
    }
}

static int tls_receive(void *state, struct bao_str in, struct bao_buf *plain, struct bao_buf *wire)
{
    struct session *s = state;
    int r = 0;

    s->in = in;
    s->wire = wire;
    if (!s->done)
        r = shake(s);
    if (r == 0 && s->done)
        r = read_records(s, plain);
    s->in = BAO_STR_NULL;
    s->wire = NULL;
    return r;
}

static int tls_send(void *state, struct bao_str plain, struct bao_buf *wire)
{
    struct session *s = state;
    int r = s->done ? 0 : -ENOTCONN;

    s->wire = wire;
    while (plain.n != 0 && r == 0) {
        ssize_t n = gnutls_record_send(s->gnutls, plain.p, plain.n);

        if (n < 0) {
            r = fail(s, (int)n);
        } else {
            plain.p += n;
            plain.n -= (size_t)n;
        }
    }
    s->wire = NULL;
    return r;
}

static int tls_finish(void *state, struct bao_buf *wire)
{
    struct session *s = state;
    int r = 0;

    s->wire = wire;
    if (s->done && s->error == 0)
        r = gnutls_bye(s->gnutls, GNUTLS_SHUT_WR);
    s->wire = NULL;
    return r < 0 ? fail(s, r) : 0;
}

static bool tls_ready(const void *state)
{
    return ((const struct session *)state)->done;
}

static void tls_free(void *state)
{
    struct session *s = state;

    if (s == NULL)
        return;
    if (s->gnutls != NULL)
        gnutls_deinit(s->gnutls);
    baod_tls_unref(s->tls);
    free(s->host);
    free(s->units);
    free(s);
}

static const struct baod_transform_ops tls_ops = {
    .name = "TLS",
    .start = tls_start,
    .receive = tls_receive,
    .send = tls_send,
    .finish = tls_finish,
    .ready = tls_ready,
    .why = tls_why,
    .free = tls_free,
};

int baod_tls_transform(struct baod_tls *tls, const char *host, const struct baod_transform_ops **ret_ops,
                       void **ret_state)
{
    struct session *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return -ENOMEM;
    s->tls = baod_tls_ref(tls);
    s->host = host == NULL ? NULL : strdup(host);
    if (host != NULL && s->host == NULL) {
        tls_free(s);
        return -ENOMEM;
    }
    *ret_ops = &tls_ops;
    *ret_state = s;
    return 0;
}
