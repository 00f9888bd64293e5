// One message on its way into a socket: bytes that lie in memory and parts of files in turns, as
// much at a time as the kernel takes.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/kernel_file.h"

namespace adbrook::io {

// Owned by one thread at a time. What the pieces point at must stay until all is sent; files stay
// open until then.
class OutgoingMessage {
 public:
  // Where a piece is empty the next of `files` follows; there are as many of both.
  OutgoingMessage(std::vector<ByteView> pieces, std::vector<FileRange> files);

  // Gives a socket that does not block what it takes now. True: that was the rest. `peer` is named
  // in errors: io_failed when it is gone; corrupt when a file ends inside its range. After an error
  // nothing may be sent on this connection any more.
  Result<bool> send(int socket, const std::string& peer);

 private:
  struct Sent;
  Sent send_pieces(int socket);
  Sent send_file(int socket);
  Sent copy_file(int socket, FileRange& range);
  void skip(std::size_t size);

  std::vector<ByteView> pieces_;
  std::vector<FileRange> files_;
  std::size_t piece_ = 0;  // the first with bytes left
  std::size_t file_ = 0;
  Buffer copy_;  // of a file that the kernel does not send by itself
};

}  // namespace adbrook::io
