#include "api/test_service.h"

namespace manman::api {
namespace {

class VerificationTest : public ApiTest {
 protected:
  void verify(int64_t backup_id) {
    v1::VerifyBackupRequest request;
    request.set_backup_id(backup_id);
    request.set_how("head");
    grpc::ClientContext context;
    const auto reader = stub_->VerifyBackup(&context, request);
    v1::VerifyBackupResponse response;
    while (reader->Read(&response)) continue;
    status_ = reader->Finish();
  }
};

TEST_F(VerificationTest, AMissingObjectIsDamage) {
  const v1::Backup backup = completed_backup();
  good(store_->remove(key_of(backup)));
  verify(backup.backup_id());
  expect_error(DATA_LOSS, "is not in the store");
  EXPECT_NE(get_backup(backup.backup_id()).verification_failed_at(), 0);
}

TEST_F(VerificationTest, AMissingBucketIsNot) {
  const v1::Backup backup = completed_backup();
  store_->bucket_gone = true;
  verify(backup.backup_id());
  expect_error(FAILED_PRECONDITION, "there is no such bucket");
  EXPECT_EQ(get_backup(backup.backup_id()).verification_failed_at(), 0);
}

TEST_F(VerificationTest, AStoreThatIsAwayIsNot) {
  const v1::Backup backup = completed_backup();
  store_->away = true;
  verify(backup.backup_id());
  expect_error(UNAVAILABLE, "the store is away");
  EXPECT_EQ(get_backup(backup.backup_id()).verification_failed_at(), 0);
}

}  // namespace
}  // namespace manman::api
