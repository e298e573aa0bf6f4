#include "cli/client.h"

#include <grpcpp/grpcpp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "manman/v1/manman.grpc.pb.h"

namespace manman::cli {
namespace {

using Clock = std::chrono::system_clock;  // gRPC's deadlines

constexpr std::chrono::milliseconds kStopInterval{100};
// A chunk is 1 MiB; this leaves room for its frame.
constexpr int kMaxMessageBytes = 16 << 20;

Result<std::shared_ptr<grpc::ChannelCredentials>> credentials(const TlsFiles& files) {
  if (files.empty()) return grpc::InsecureChannelCredentials();
  const TlsTexts texts = TRY(read_tls(files, {.certificate = "--api-cert (API_TLS_CERT)",
                                              .key = "--api-key (API_TLS_KEY)",
                                              .ca = "--api-ca (API_TLS_CA)"}));
  if (texts.ca.empty())
    return fail(Code::kInvalidArgument,
                "--api-cert (API_TLS_CERT) wants --api-ca (API_TLS_CA) too");
  return grpc::SslCredentials({.pem_root_certs = texts.ca,
                               .pem_private_key = texts.key,
                               .pem_cert_chain = texts.certificate});
}

std::shared_ptr<grpc::Channel> connect(const std::string& address,
                                       const std::shared_ptr<grpc::ChannelCredentials>& secured) {
  grpc::ChannelArguments arguments;
  // A service that restarts is found again at once, not after gRPC's usual minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  // Also how long one try to connect may take (gRPC, connection-backoff.md): a busy machine wants
  // more than a moment.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(address, secured, arguments);
}

// The service puts a hint below its message, as Error::text() does.
Error service_error(const grpc::Status& status) {
  constexpr std::string_view kMark = "\nhint: ";
  Error error{static_cast<Code>(status.error_code()), status.error_message()};
  if (const size_t mark = error.message.find(kMark); mark != std::string::npos) {
    error.hint = error.message.substr(mark + kMark.size());
    error.message.resize(mark);
  }
  if (error.message.empty()) error.message = code_name(error.code);
  error.retryable = error.code == Code::kUnavailable;
  return error;
}

// What the service's log of events shows of a caller without a certificate. Read once.
const std::string& who_asks() {
  static const std::string name = [] {
    std::array<char, 256> machine{};
    ::gethostname(machine.data(), machine.size() - 1);
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    const std::string user = found != nullptr ? found->pw_name : std::to_string(::geteuid());
    return user + "@" + machine.data();
  }();
  return name;
}

void tell_who_asks(grpc::ClientContext& context) {
  const std::string& name = who_asks();
  const bool plain = std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  if (plain) context.AddMetadata("manman-actor", name);
}

Error unreachable(const std::string& address, std::string_view why) {
  return Error{Code::kUnavailable,
               "the manman service at " + address + " does not answer: " + std::string(why), true,
               "start it with 'manman serve', or name another with --api HOST:PORT or API_ADDRESS"};
}

}  // namespace

struct Client::Impl {
  std::string address;
  std::chrono::milliseconds timeout;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::ManManAPI::Stub> stub;

  // gRPC gives UNAVAILABLE both for a connection that fails and for a service that says so; only
  // in the second case is the connection still there afterwards.
  Error error_of(const grpc::Status& status, bool timed_out) const {
    if (timed_out)
      return unreachable(address,
                         "no answer within " + std::to_string(timeout.count() / 1000) + " s");
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE &&
        channel->GetState(false) != GRPC_CHANNEL_READY)
      return unreachable(address, status.error_message());
    return service_error(status);
  }

  template <typename Request, typename Response>
  Result<Response> invoke(grpc::Status (v1::ManManAPI::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                          const Request& request) {
    grpc::ClientContext context;
    const auto deadline = Clock::now() + timeout;
    context.set_deadline(deadline);
    tell_who_asks(context);
    Response response;
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (status.ok()) return response;
    return std::unexpected(error_of(
        status,
        status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && Clock::now() >= deadline));
  }
};

Result<std::unique_ptr<Client>> Client::create(std::string address, const TlsFiles& tls,
                                               std::chrono::milliseconds timeout) {
  auto impl = std::make_unique<Impl>();
  impl->channel = connect(address, TRY(credentials(tls)));
  impl->address = std::move(address);
  impl->timeout = timeout;
  impl->stub = v1::ManManAPI::NewStub(impl->channel);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

#define MANMAN_CLI_DEFINE(name)                                               \
  Result<v1::name##Response> Client::call(const v1::name##Request& request) { \
    return impl_->invoke(&v1::ManManAPI::Stub::name, request);                \
  }
MANMAN_CLI_CALLS(MANMAN_CLI_DEFINE)
#undef MANMAN_CLI_DEFINE

namespace {

// One call that answers with a stream: asynchronous steps, each waited for, so that silence and the
// wish to stop are seen. The destructor ends what is under way, as gRPC wants its queue drained.
template <typename Response>
class StreamCall {
 public:
  using Reader = grpc::ClientAsyncReader<Response>;

  // begin: the stub's Async… method, with its request.
  StreamCall(const std::function<std::unique_ptr<Reader>(grpc::ClientContext*,
                                                         grpc::CompletionQueue*, void*)>& begin,
             std::chrono::milliseconds timeout, const std::function<bool()>& stop)
      : timeout_(timeout), stop_(stop) {
    tell_who_asks(context_);
    reader_ = begin(&context_, &queue_, this);
    pending_ = 1;
  }
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;
  ~StreamCall() {
    context_.TryCancel();
    void* tag = nullptr;
    bool good = false;
    while (pending_ > 0 && queue_.Next(&tag, &good)) pending_--;
    queue_.Shutdown();
    while (queue_.Next(&tag, &good)) {
    }
  }

  bool timed_out() const { return timed_out_; }

  // Whether the call could be begun, a message came, …; false is the end, and finish() says why.
  Result<bool> started() { return await(); }
  Result<bool> next(Response& message) {
    reader_->Read(&message, this);
    pending_++;
    return await();
  }
  Result<grpc::Status> finish() {
    grpc::Status status;
    reader_->Finish(&status, this);
    pending_++;
    TRY(await());
    return status;
  }

 private:
  // The next event; when none comes in time the call is cancelled, which makes one come.
  Result<bool> await() {
    const auto deadline = Clock::now() + timeout_;
    bool cancelled = false;
    for (;;) {
      void* tag = nullptr;
      bool good = false;
      const auto outcome = queue_.AsyncNext(&tag, &good, Clock::now() + kStopInterval);
      if (outcome == grpc::CompletionQueue::GOT_EVENT) {
        pending_--;
        if (cancelled && !timed_out_) return fail(Code::kCancelled, "cancelled");
        return good && !timed_out_;
      }
      if (outcome == grpc::CompletionQueue::SHUTDOWN)
        return fail(Code::kInternal, "the call's queue is closed");
      if (cancelled) continue;
      timed_out_ = Clock::now() >= deadline;
      cancelled = timed_out_ || stop_();
      if (cancelled) context_.TryCancel();
    }
  }

  const std::chrono::milliseconds timeout_;
  const std::function<bool()>& stop_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<Reader> reader_;
  int pending_ = 0;
  bool timed_out_ = false;
};

// Gives each message to take; the status at the end.
template <typename Response>
Result<grpc::Status> read_all(StreamCall<Response>& call, Response& message,
                              const std::function<Result<void>(const Response&)>& take) {
  if (TRY(call.started())) {
    while (TRY(call.next(message))) TRY(take(message));
  }
  return call.finish();
}

}  // namespace

#define MANMAN_CLI_DEFINE(name)                                                                 \
  Result<void> Client::read(const v1::name##Request& request,                                   \
                            const std::function<Result<void>(const v1::name##Response&)>& take, \
                            const std::function<bool()>& stop) {                                \
    v1::name##Response message; /* outlives the call that fills it */                           \
    StreamCall<v1::name##Response> call(                                                        \
        [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {            \
          return impl_->stub->Async##name(context, request, queue, tag);                        \
        },                                                                                      \
        impl_->timeout, stop);                                                                  \
    const grpc::Status status = TRY(read_all<v1::name##Response>(call, message, take));         \
    if (status.ok()) return {};                                                                 \
    return std::unexpected(impl_->error_of(status, call.timed_out()));                          \
  }
MANMAN_CLI_STREAMS(MANMAN_CLI_DEFINE)
#undef MANMAN_CLI_DEFINE

}  // namespace manman::cli
