#include "log/append_queue.h"

#include <utility>

namespace adbrook::log {

AppendQueue::Pushed AppendQueue::push(QueuedAppend& append) {
  const std::lock_guard lock(mutex_);
  if (!append.refusal) refuse_what_cannot_wait(append);
  if (append.refusal && append.what.refused_at_once) return Pushed::refused;
  size_ += append.entry_size;
  size_gauge_.set(static_cast<double>(size_));
  queue_.push_back(std::move(append));
  return std::exchange(writer_posted_, true) ? Pushed::behind_others : Pushed::first;
}

void AppendQueue::refuse_what_cannot_wait(QueuedAppend& append) const {
  std::optional<AppendRefusal> refusal;
  if (size_ + append.entry_size > limit_)
    refusal = Error{ErrorKind::overloaded,
                    "append: append.queue.bytes are waiting for the disk; nothing was kept, try "
                    "again later"};
  if (closed_) refusal = Error{ErrorKind::closed, "append: the log is closed"};
  // Its bytes go at once: what it may not have here is memory.
  if (refusal)
    append = {.what = {.refused_at_once = append.what.refused_at_once},
              .done = std::move(append.done),
              .refusal = std::move(refusal)};
}

std::vector<QueuedAppend> AppendQueue::take(std::size_t size_max) {
  const std::lock_guard lock(mutex_);
  std::vector<QueuedAppend> group;
  std::size_t size = 0;
  // At least one, however large: it was let in, so it fits.
  while (!queue_.empty() && (group.empty() || size + queue_.front().entry_size <= size_max)) {
    size += queue_.front().entry_size;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  taken_size_ += size;
  return group;
}

void AppendQueue::release() {
  const std::lock_guard lock(mutex_);
  size_ -= std::exchange(taken_size_, 0);
  size_gauge_.set(static_cast<double>(size_));
}

bool AppendQueue::finish() {
  const std::lock_guard lock(mutex_);
  writer_posted_ = !queue_.empty();
  return writer_posted_;
}

void AppendQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace adbrook::log
