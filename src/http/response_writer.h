// Writes the bytes of an answer, with the header fields that every answer of ours carries.
// Pure functions; the connection decides when the bytes go out.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace adbrook::http {

struct ResponseForm {
  bool head_only = false;  // answer to HEAD: the fields of the whole answer, but no body
  bool keep_alive = true;
  bool http_1_0 = false;              // knows no chunks: a long body ends with the connection
  std::string_view cors_origin = {};  // empty: no cross-origin fields
};

// Appends head and body; when it comes in pieces, the head and the first chunk.
// The ADBROOK_ASSERT inside: no field holds CR, LF or NUL, so an answer cannot be split.
void append_response(std::string& out, const Response& response, const ResponseForm& form,
                     Timestamp now);

// One chunk of a chunked body; an empty piece is the end of the body.
void append_chunk(std::string& out, std::string_view piece);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(Timestamp time);

}  // namespace adbrook::http
