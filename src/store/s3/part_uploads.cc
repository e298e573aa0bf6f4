#include "store/s3/part_uploads.h"

#include <algorithm>
#include <cstring>

namespace manman::s3 {

size_t PartBuffer::append(ConstBytes bytes) {
  const size_t length = std::min(bytes.size(), capacity_ - size_);
  std::memcpy(bytes_.get() + size_, bytes.data(), length);
  size_ += length;
  return length;
}

PartUploads::PartUploads(Client& client, const Multipart& upload, size_t part_bytes, int threads,
                         int buffers, std::function<bool()> cancelled)
    : client_(client),
      upload_(upload),
      part_bytes_(part_bytes),
      max_buffers_(buffers),
      cancelled_(std::move(cancelled)) {
  for (int i = 0; i < threads; i++) threads_.emplace_back([this] { work(); });
}

PartUploads::~PartUploads() {
  cut_off_ = true;
  state_.lock()->ended = true;
  state_.notify_all();
}

Result<void> PartUploads::add(PartBuffer part) {
  auto state = state_.lock();
  if (state->error) return std::unexpected(*state->error);
  // A backup is measured anew when it is tried again.
  if (state->etags.size() == kMaxParts)
    return std::unexpected(Error{Code::kAborted,
                                 client_.name_of(upload_.key) +
                                     " grew far beyond the size that was announced: over " +
                                     std::to_string(kMaxParts * part_bytes_) + " bytes",
                                 true});
  state->etags.emplace_back();
  state->under_way++;
  state->waiting.push_back({static_cast<int>(state->etags.size()), std::move(part)});
  state_.notify_all();
  return {};
}

Result<PartBuffer> PartUploads::exchange(PartBuffer part) {
  TRY(add(std::move(part)));
  auto state = state_.lock();
  state.wait([&] { return state->error || !state->free.empty() || state->buffers < max_buffers_; });
  if (state->error) return std::unexpected(*state->error);
  if (state->free.empty()) {
    state->buffers++;
    return PartBuffer(part_bytes_);
  }
  PartBuffer buffer = std::move(state->free.back());
  state->free.pop_back();
  return buffer;
}

Result<std::vector<std::string>> PartUploads::finish(PartBuffer last) {
  if (!last.bytes().empty()) TRY(add(std::move(last)));
  auto state = state_.lock();
  state.wait([&] { return state->error || state->under_way == 0; });
  if (state->error) return std::unexpected(*state->error);
  return state->etags;
}

std::optional<PartUploads::Part> PartUploads::next_part() {
  auto state = state_.lock();
  state.wait([&] { return state->ended || !state->waiting.empty(); });
  if (state->ended) return std::nullopt;
  Part part = std::move(state->waiting.front());
  state->waiting.pop_front();
  return part;
}

void PartUploads::work() {
  const auto cancelled = [this, &config = client_.config()] {
    return cut_off_.load() || (cancelled_ && cancelled_()) ||
           (config.cancelled && config.cancelled());
  };
  while (auto part = next_part()) {
    auto etag = upload_part(client_, upload_, part->number, part->buffer.bytes(), cancelled);
    auto state = state_.lock();
    if (etag) {
      state->etags[static_cast<size_t>(part->number) - 1] = std::move(*etag);
    } else if (!state->error) {
      state->error = std::move(etag).error();
      cut_off_ = true;  // the others are of no use any more
    }
    state->under_way--;
    part->buffer.clear();
    state->free.push_back(std::move(part->buffer));
    state_.notify_all();
  }
}

}  // namespace manman::s3
