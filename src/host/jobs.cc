#include "host/jobs.h"

#include <utility>

namespace manman::host {

About about(const JobKey& key, int64_t sgc_id, int64_t server_id) {
  About about{.sgc_id = sgc_id, .server_id = server_id};
  const bool of_backup = key.kind == JobKind::kBackup || key.kind == JobKind::kCancel;
  if (key.kind != JobKind::kDrill) (of_backup ? about.backup_id : about.session_id) = key.id;
  return about;
}

void Jobs::add(std::shared_ptr<Job> job) {
  const JobKey key = job->key;
  jobs_.lock()->insert_or_assign(key, std::move(job));
}

void Jobs::remove(const JobKey& key) {
  jobs_.lock()->erase(key);
}

std::shared_ptr<Job> Jobs::find(const JobKey& key) {
  auto jobs = jobs_.lock();
  const auto found = jobs->find(key);
  return found == jobs->end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Job>> Jobs::all() {
  auto jobs = jobs_.lock();
  std::vector<std::shared_ptr<Job>> list;
  for (const auto& [key, job] : *jobs) list.push_back(job);
  return list;
}

void Jobs::cancel_all() {
  for (const auto& job : all()) job->progress.cancel = true;
}

}  // namespace manman::host
