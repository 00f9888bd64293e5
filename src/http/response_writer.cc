#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/assert.h"

namespace adbrook::http {
namespace {

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  std::array<char, 20> digits;
  out.append(digits.data(),
             std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  ADBROOK_ASSERT(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
                 "a header field is one line");
  out.append(name).append(": ").append(value).append("\r\n");
}

bool has_field(const Response& response, std::string_view name) {
  return std::ranges::any_of(
      response.fields, [&](const auto& field) { return equal_without_case(field.first, name); });
}

// These answers have no body by definition, so a length would be misread.
bool never_has_body(int status) { return status == 204 || status == 304 || status < 200; }

void append_safety(std::string& out, const Response& response, std::string_view cors_origin) {
  out.append("X-Content-Type-Options: nosniff\r\n");
  if (!has_field(response, "Content-Security-Policy"))
    out.append("Content-Security-Policy: default-src 'self'\r\n");
  // An answer is about now; whoever wants it cached says so.
  if (!has_field(response, "Cache-Control")) out.append("Cache-Control: no-store\r\n");
  if (cors_origin.empty()) return;
  append_field(out, "Access-Control-Allow-Origin", cors_origin);
  if (cors_origin != "*") out.append("Vary: Origin\r\n");
}

}  // namespace

std::string http_date(Timestamp time) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds seconds{std::chrono::seconds(time.ms / 1000)};
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const auto clock = (seconds - day).count();
  const auto two = [](long long n) {
    return std::string{static_cast<char>('0' + n / 10 % 10), static_cast<char>('0' + n % 10)};
  };
  const unsigned month = static_cast<unsigned>(date.month());
  return std::string(kDays[std::chrono::weekday(day).c_encoding()]) + ", " +
         two(static_cast<unsigned>(date.day())) + " " + kMonths[month - 1] + " " +
         std::to_string(static_cast<int>(date.year())) + " " + two(clock / 3600) + ":" +
         two(clock / 60 % 60) + ":" + two(clock % 60) + " GMT";
}

void append_response(std::string& out, const Response& response, const ResponseForm& form,
                     Timestamp now) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  append_field(out, "Date", http_date(now));
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  const bool in_pieces = response.pieces != nullptr || response.live != nullptr;
  const bool chunked = in_pieces && !form.http_1_0;
  if (chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (!in_pieces && !never_has_body(response.status)) {
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  append_safety(out, response, form.cors_origin);
  for (const auto& [name, value] : response.fields) append_field(out, name, value);
  if (!form.keep_alive)
    out.append("Connection: close\r\n");
  else if (form.http_1_0)
    out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
  if (form.head_only || never_has_body(response.status)) return;
  if (!chunked)
    out.append(response.body);
  else if (!response.body.empty())
    append_chunk(out, response.body);
}

void append_chunk(std::string& out, std::string_view piece) {
  append_number(out, piece.size(), 16);
  out.append("\r\n").append(piece).append("\r\n");
}

}  // namespace adbrook::http
