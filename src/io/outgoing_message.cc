#include "io/outgoing_message.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/assert.h"
#include "io/os_error.h"

namespace adbrook::io {
namespace {

constexpr std::size_t kPiecesAtOnce = 64;
constexpr std::size_t kCopySize = 64 << 10;

// sendfile(2) has no flag like MSG_NOSIGNAL, and a peer that is gone is no reason to die. The
// signal comes to this thread alone, so it can be caught and forgotten here.
class PipeSignalHeldBack {
 public:
  PipeSignalHeldBack() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHeldBack(const PipeSignalHeldBack&) = delete;
  PipeSignalHeldBack& operator=(const PipeSignalHeldBack&) = delete;
  ~PipeSignalHeldBack() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  void forget() const {
    const timespec at_once{};
    ::sigtimedwait(&pipe_, nullptr, &at_once);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace

// What one call of the kernel took.
struct OutgoingMessage::Sent {
  std::size_t size = 0;
  int error = 0;         // EAGAIN: nothing more now
  bool cut_off = false;  // the file has fewer bytes than its range
};

OutgoingMessage::OutgoingMessage(std::vector<ByteView> pieces, std::vector<FileRange> files)
    : pieces_(std::move(pieces)), files_(std::move(files)) {
  const auto gaps = std::ranges::count_if(pieces_, [](ByteView piece) { return piece.empty(); });
  ADBROOK_ASSERT(static_cast<std::size_t>(gaps) == files_.size(), "each file has its place");
}

Result<bool> OutgoingMessage::send(int socket, const std::string& peer) {
  while (piece_ < pieces_.size()) {
    const bool is_file = pieces_[piece_].empty();
    if (is_file && files_[file_].size == 0) {
      ++piece_, ++file_;
      continue;
    }
    const Sent sent = is_file ? send_file(socket) : send_pieces(socket);
    if (sent.error == EAGAIN) return false;
    if (sent.error != 0) return std::unexpected(os_error("write to", peer, sent.error));
    if (sent.cut_off)
      return fail(ErrorKind::corrupt, "cannot write to '" + peer +
                                          "': a stored file ends before the bytes that were "
                                          "promised; check the disk, or restore a backup");
    if (!is_file) skip(sent.size);
  }
  return true;
}

// All pieces up to the next file with one call.
OutgoingMessage::Sent OutgoingMessage::send_pieces(int socket) {
  std::array<iovec, kPiecesAtOnce> parts;
  std::size_t count = 0;
  while (count < parts.size() && piece_ + count < pieces_.size()) {
    const ByteView piece = pieces_[piece_ + count];
    if (piece.empty()) break;
    parts[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
  }
  // A packet of its own for what stands in front of a file would cost more than the wait for it.
  const int more = piece_ + count < pieces_.size() ? MSG_MORE : 0;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return {.error = errno};
  return {.size = static_cast<std::size_t>(sent)};
}

void OutgoingMessage::skip(std::size_t size) {
  while (size > 0) {
    ByteView& piece = pieces_[piece_];
    const std::size_t part = std::min(size, piece.size());
    size -= part;
    // Not left empty, which would stand for a file.
    if (part == piece.size())
      ++piece_;
    else
      piece = piece.subspan(part);
  }
}

OutgoingMessage::Sent OutgoingMessage::send_file(int socket) {
  FileRange& range = files_[file_];
  const int descriptor = descriptor_of(*range.file);
  if (descriptor < 0) return copy_file(socket, range);
  const PipeSignalHeldBack held_back;
  auto position = static_cast<off_t>(range.position);
  ssize_t sent = 0;
  do {
    sent = ::sendfile(socket, descriptor, &position, range.size);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    const int error = errno;
    if (error == EPIPE) held_back.forget();
    // A file system that cannot, as some that live in user space.
    if (error == EINVAL || error == ENOSYS || error == EOPNOTSUPP) return copy_file(socket, range);
    return {.error = error};
  }
  range.position += static_cast<std::uint64_t>(sent);
  range.size -= static_cast<std::size_t>(sent);
  return {.size = static_cast<std::size_t>(sent), .cut_off = sent == 0};
}

OutgoingMessage::Sent OutgoingMessage::copy_file(int socket, FileRange& range) {
  copy_.resize(std::min(range.size, kCopySize));
  const auto got = range.file->read_at(range.position, copy_);
  if (!got || *got < copy_.size()) return {.cut_off = true};
  ssize_t sent = 0;
  do {
    sent = ::send(socket, copy_.data(), copy_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return {.error = errno};
  range.position += static_cast<std::uint64_t>(sent);
  range.size -= static_cast<std::size_t>(sent);
  return {.size = static_cast<std::size_t>(sent)};
}

}  // namespace adbrook::io
