// Turns the bytes that a server sent into an answer, for our own client.
// Beast reads the syntax; a limit on the body is ours.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"

namespace adbrook::http {

struct ClientResponse {
  int status = 0;
  Fields fields;
  std::string body;
  bool keep_alive = true;
};

// Owned by one thread. Serves one answer; `head_only` says that it answers HEAD.
class ResponseParser {
 public:
  ResponseParser(Bytes body_max, bool head_only);
  ~ResponseParser();

  // Takes a prefix of `bytes` and returns its size; what is left must be offered again, in front of
  // more. invalid: no HTTP answer; overloaded: the body is larger than `body_max`.
  Result<std::size_t> feed(std::string_view bytes);
  // The peer ended the connection. invalid when the answer was not whole.
  Result<void> end();
  bool complete() const;
  // Only when complete.
  ClientResponse take();

 private:
  struct Message;  // Beast's parser; its headers are slow to compile

  ClientResponse response_;
  std::unique_ptr<Message> message_;
};

}  // namespace adbrook::http
