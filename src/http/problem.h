// Errors as people and programs read them: `application/problem+json` (RFC 9457) with `title`,
// `status`, `detail`, and `field` where one field is to blame.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace adbrook::http {

struct Problem {
  int status = 400;
  std::string title;   // the same for all problems of this kind; the status phrase when empty
  std::string detail;  // what, where, why, what to do next
  std::string field = {};
};

Response problem_response(const Problem& problem);

// The status that says best what kind of error this is; 500 for those that are ours.
int status_of(ErrorKind kind);
Response problem_response(const Error& error, std::string_view field = {});

// Appends `text` as a JSON string with its quotes. Broken UTF-8 becomes U+FFFD, so that the answer
// is always readable, whatever a sender put into it.
void append_json_text(std::string& out, std::string_view text);

}  // namespace adbrook::http
