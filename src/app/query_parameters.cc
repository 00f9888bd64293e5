#include "app/query_parameters.h"

#include <algorithm>
#include <charconv>

#include "ads/click_service.h"
#include "base/text.h"

namespace adbrook::app {

Result<http::Query> read_query(const http::Request& request,
                               std::span<const std::string_view> known) {
  auto query = http::Query::parse(request.query);
  if (!query) return query;
  for (const http::QueryParameter& parameter : query->parameters()) {
    if (std::ranges::find(known, parameter.name) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known)
      names += (names.empty() ? "" : ", ") + std::string(name);
    return fail(ErrorKind::invalid, request.path + ": unknown parameter '" +
                                        printable(parameter.name) + "'" +
                                        did_you_mean(parameter.name, known) +
                                        "; there are: " + (names.empty() ? "none" : names));
  }
  return query;
}

Result<Millis> wait_of(const http::Query& query, Millis otherwise) {
  const std::string* text = query.find("wait");
  if (!text) return otherwise;
  const auto wait = parse_duration(*text);
  if (!wait) return pass(wait.error(), "wait");
  if (*wait < Millis(0) || *wait > ads::ClickService::kWaitMax)
    return fail(ErrorKind::invalid, "wait: " + printable(*text) + " is not from 0s to 10m");
  return wait;
}

Result<std::int64_t> count_of(const http::Query& query, std::string_view name,
                              std::int64_t otherwise, std::int64_t most) {
  const std::string* text = query.find(name);
  if (!text) return otherwise;
  std::int64_t value = -1;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end || value < 0 || value > most)
    return fail(ErrorKind::invalid, std::string(name) + ": '" + printable(*text) +
                                        "' is no whole number from 0 to " + std::to_string(most));
  return value;
}

}  // namespace adbrook::app
