/* libmosquitto connects to an address that passed the guard, and would take that address for the
 * server's name. So the context is ours: the name to verify is in its parameters, and the name to
 * ask for (SNI) is put right when the handshake begins. */
#include "net/mqtt_tls.h"

#include <mosquitto.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

static void handshake_begins(const SSL *ssl, int where, int ret)
{
    (void)ret;
    if (!(where & SSL_CB_HANDSHAKE_START))
        return;
    const char *name = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_ctrl((SSL *)(uintptr_t)ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             (void *)(uintptr_t)name); /* NULL: none, for an address */
}

bool mqtt_tls_set(struct mosquitto *m, const char *host, bool numeric)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return false;
    X509_VERIFY_PARAM *verify = SSL_CTX_get0_param(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_app_data(ctx, numeric ? NULL : (void *)(uintptr_t)host);
    SSL_CTX_set_info_callback(ctx, handshake_begins);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    bool ready = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_default_verify_paths(ctx) == 1 &&
                 (numeric ? X509_VERIFY_PARAM_set1_ip_asc(verify, host) : X509_VERIFY_PARAM_set1_host(verify, host, 0)) == 1 &&
                 mosquitto_void_option(m, MOSQ_OPT_SSL_CTX, ctx) == MOSQ_ERR_SUCCESS &&
                 mosquitto_int_option(m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) == MOSQ_ERR_SUCCESS;
    SSL_CTX_free(ctx); /* libmosquitto has a reference of its own */
    return ready;
}
