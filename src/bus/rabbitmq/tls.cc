#include "bus/rabbitmq/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace manman::rabbitmq {
namespace {

std::string openssl_reason() {
  const char* reason = ::ERR_reason_error_string(::ERR_peek_last_error());
  ::ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

Result<void> trust(SSL_CTX* context, const std::string& ca_file) {
  ::ERR_clear_error();
  if (ca_file.empty()) {
    if (::SSL_CTX_set_default_verify_paths(context) == 1) return {};
    return fail(Code::kInvalidArgument,
                "the certificate authorities of the system can't be read: " + openssl_reason());
  }
  if (::SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1) return {};
  return fail(Code::kInvalidArgument, "CA file " + ca_file + " can't be read: " + openssl_reason());
}

bool expect_host(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* wanted = ::SSL_CTX_get0_param(context);
  if (::X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1) return true;
  ::ERR_clear_error();  // it is no address, then
  ::X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return ::X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1;
}

}  // namespace

struct TlsCheck::Callbacks {
  static TlsCheck& of(const SSL* ssl) {
    return *static_cast<TlsCheck*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
  }

  static int verify(int good, X509_STORE_CTX* store) {
    const auto* ssl = static_cast<const SSL*>(
        ::X509_STORE_CTX_get_ex_data(store, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (good == 0)
      of(ssl).complaint_ = ::X509_verify_cert_error_string(::X509_STORE_CTX_get_error(store));
    return good;
  }

  // The library tells nobody its socket before the handshake is over, which may hang.
  static void at_work(const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_START) != 0) (void)of(ssl).waker_.attach(::SSL_get_fd(ssl));
  }
};

Result<void> TlsCheck::prepare(amqp_socket_t* socket, const std::string& host,
                               const std::string& ca_file) {
  auto* context = static_cast<SSL_CTX*>(::amqp_ssl_socket_get_context(socket));
  TRY(trust(context, ca_file));
  if (::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 || !expect_host(context, host))
    return fail(Code::kInternal, "set TLS up: " + openssl_reason());
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_app_data(context, this);
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, &Callbacks::verify);
  ::SSL_CTX_set_info_callback(context, &Callbacks::at_work);
  // Done above, and there for addresses as well.
  ::amqp_ssl_socket_set_verify_hostname(socket, 0);
  return {};
}

}  // namespace manman::rabbitmq
