#include "api/rpc/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <mutex>

#include "base/log.h"
#include "http/listen_address.h"

namespace manman::api {
namespace {

constexpr const char* kWhat = "gRPC address";
constexpr const char* kServiceName = "manman.v1.ManManAPI";
constexpr int kMaxThreads = 256;
constexpr size_t kMaxMemoryBytes = size_t{256} << 20;
constexpr int kMaxMessageBytes = 1 << 20;
constexpr int kKeepaliveMs = 30000;
constexpr std::chrono::seconds kEndOfCalls{2};

// gRPC's own complaints go where all others go, and only when asked for: each that matters comes
// back as a status too.
void to_our_log(gpr_log_func_args* args) {
  log_debug({}, "gRPC: {}", args->message);
}

void set_up_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(to_our_log);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

Result<std::shared_ptr<grpc::ServerCredentials>> credentials(const TlsFiles& files) {
  if (files.empty()) return grpc::InsecureServerCredentials();
  const TlsTexts texts = TRY(read_tls(files, {.certificate = "--grpc-cert (GRPC_TLS_CERT)",
                                              .key = "--grpc-key (GRPC_TLS_KEY)",
                                              .ca = "--grpc-client-ca (GRPC_TLS_CLIENT_CA)"}));
  if (texts.certificate.empty())
    return fail(Code::kInvalidArgument,
                "--grpc-client-ca (GRPC_TLS_CLIENT_CA) wants --grpc-cert and --grpc-key too");
  grpc::SslServerCredentialsOptions options(
      texts.ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                       : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = texts.ca;
  options.pem_key_cert_pairs.push_back({texts.key, texts.certificate});
  return grpc::SslServerCredentials(options);
}

}  // namespace

GrpcServer::GrpcServer() = default;
GrpcServer::~GrpcServer() {
  stop();
}

Result<void> GrpcServer::start(const std::string& text, const TlsFiles& tls,
                               grpc::Service& service) {
  auto address = TRY(ListenAddress::parse(kWhat, text));
  TRY(check_free(kWhat, address));
  set_up_library();
  const auto secured = TRY(credentials(tls));

  grpc::ResourceQuota quota("api");
  quota.SetMaxThreads(kMaxThreads);
  quota.Resize(kMaxMemoryBytes);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddListeningPort(address.text(), secured, &port);
  builder.RegisterService(&service);
  server_ = builder.BuildAndStart();
  if (!server_ || port == 0) {
    server_.reset();
    return fail(Code::kUnavailable, std::string(kWhat) + " " + address.text() + " is in use");
  }
  set_serving(false);
  address.port = port;
  address_ = address.text();
  return {};
}

void GrpcServer::stop() {
  if (!server_) return;
  set_serving(false);
  server_->Shutdown(std::chrono::system_clock::now() + kEndOfCalls);
  server_->Wait();
  server_.reset();
}

void GrpcServer::set_serving(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_ ? server_->GetHealthCheckService() : nullptr;
  if (health == nullptr) return;
  health->SetServingStatus("", serving);  // the whole server
  health->SetServingStatus(kServiceName, serving);
}

}  // namespace manman::api
