#include "base/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "base/file.h"

namespace manman {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<BIO, Free> reader(const std::string& text) {
  return std::unique_ptr<BIO, Free>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unexpected<Error> bad(std::string_view setting, const std::filesystem::path& path,
                           std::string_view what) {
  ERR_clear_error();
  return fail(Code::kInvalidArgument,
              std::string(setting) + ": " + path.string() + " " + std::string(what));
}

// A key that wants a passphrase is refused: there is no one to type it.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<std::unique_ptr<X509, Free>> certificate(std::string_view setting,
                                                const std::filesystem::path& path,
                                                const std::string& text) {
  std::unique_ptr<X509, Free> found(
      PEM_read_bio_X509(reader(text).get(), nullptr, no_passphrase, nullptr));
  if (!found) return bad(setting, path, "holds no certificate in PEM");
  return found;
}

Result<std::string> read(std::string_view setting, const std::filesystem::path& path) {
  if (path.empty()) return std::string();
  return in(setting, read_file(path, kMaxBytes));
}

}  // namespace

Result<TlsTexts> read_tls(const TlsFiles& files, const TlsSettings& settings) {
  if (files.certificate.empty() != files.key.empty())
    return fail(Code::kInvalidArgument, std::string(settings.certificate) + " and " +
                                            std::string(settings.key) + " go together");
  TlsTexts texts {
    .certificate = TRY(read(settings.certificate, files.certificate))
    , .key = TRY(read(settings.key, files.key))
    , .ca = TRY(read(settings.ca, files.ca))
  };
  if (!files.ca.empty()) TRY(certificate(settings.ca, files.ca, texts.ca));
  if (files.certificate.empty()) return texts;
  const auto leaf = TRY(certificate(settings.certificate, files.certificate, texts.certificate));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(reader(texts.key).get(), nullptr, no_passphrase, nullptr));
  if (!key) return bad(settings.key, files.key, "holds no private key in PEM without a passphrase");
  if (X509_check_private_key(leaf.get(), key.get()) != 1)
    return bad(settings.key, files.key,
               "is not the key of the certificate " + files.certificate.string());
  return texts;
}

}  // namespace manman
