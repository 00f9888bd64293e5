#include "http/problem.h"

#include <array>
#include <cstdint>

namespace adbrook::http {
namespace {

// Size of the well-formed UTF-8 sequence at the front of `text`, or 0 (RFC 3629, table 3-7 of
// Unicode).
std::size_t sequence_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto continues = [&](std::size_t i, std::uint8_t least, std::uint8_t most) {
    return i < text.size() && byte(i) >= least && byte(i) <= most;
  };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const std::uint8_t least = first == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t most = first == 0xED ? 0x9F : 0xBF;
    return continues(1, least, most) && continues(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const std::uint8_t least = first == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t most = first == 0xF4 ? 0x8F : 0xBF;
    return continues(1, least, most) && continues(2, 0x80, 0xBF) && continues(3, 0x80, 0xBF) ? 4
                                                                                             : 0;
  }
  return 0;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[static_cast<std::uint8_t>(c) >> 4];
  out += kHex[static_cast<std::uint8_t>(c) & 15];
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"' || c == '\\' || static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F) {
      append_escape(out, c);
      text.remove_prefix(1);
      continue;
    }
    const std::size_t size = sequence_size(text);
    out += size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

Response problem_response(const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body = "{\"title\":";
  append_json_text(response.body,
                   problem.title.empty() ? reason_phrase(problem.status) : problem.title);
  response.body += ",\"status\":" + std::to_string(problem.status) + ",\"detail\":";
  append_json_text(response.body, problem.detail);
  if (!problem.field.empty()) {
    response.body += ",\"field\":";
    append_json_text(response.body, problem.field);
  }
  response.body += "}\n";
  return response;
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
    case ErrorKind::out_of_range: return 400;
    case ErrorKind::not_found: return 404;
    case ErrorKind::overloaded: return 429;
    case ErrorKind::unsupported: return 501;
    case ErrorKind::disk_full:
    case ErrorKind::busy:
    case ErrorKind::closed:
    case ErrorKind::io_failed: return 503;
    case ErrorKind::already_exists: return 422;
    case ErrorKind::corrupt: return 500;
  }
  return 500;
}

Response problem_response(const Error& error, std::string_view field) {
  Response response = problem_response(Problem{.status = status_of(error.kind),
                                               .title = {},
                                               .detail = error.message,
                                               .field = std::string(field)});
  // Both go away by themselves; the client is told when to come back.
  if (response.status == 429) response.fields.emplace_back("Retry-After", "1");
  if (response.status == 503) response.fields.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace adbrook::http
