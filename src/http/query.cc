#include "http/query.h"

#include <cstdint>

#include "base/text.h"

namespace adbrook::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Result<std::string> decode_part(std::string_view part) {
  auto text = percent_decode(part, PlusSign::is_space);
  if (!text) return text;
  if (!is_valid_utf8(*text) || text->find('\0') != std::string::npos)
    return fail(ErrorKind::invalid, "query: '" + printable(part) +
                                        "' does not decode to UTF-8 text; encode it as %XX of its "
                                        "UTF-8 bytes");
  return text;
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, PlusSign plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusSign::is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return fail(ErrorKind::invalid, "query: '%' at position " + std::to_string(i) + " of '" +
                                            printable(text) +
                                            "' is not followed by two hex digits; write %25 for a "
                                            "percent sign");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[static_cast<std::uint8_t>(c) >> 4];
    out += kHex[static_cast<std::uint8_t>(c) & 15];
  }
  return out;
}

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    if (query.parameters_.size() == kQueryParametersMax)
      return fail(ErrorKind::invalid, "query: more than " + std::to_string(kQueryParametersMax) +
                                          " parameters; send the event as JSON instead");
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = decode_part(part.substr(0, equals));
    if (!name) return pass(name.error());
    auto value = decode_part(part.substr(std::min(equals + 1, part.size())));
    if (!value) return pass(value.error());
    query.parameters_.push_back({std::move(*name), std::move(*value)});
  }
  return query;
}

const std::string* Query::find(std::string_view name) const {
  for (const QueryParameter& parameter : parameters_)
    if (parameter.name == name) return &parameter.value;
  return nullptr;
}

std::string_view Query::value_or(std::string_view name, std::string_view otherwise) const {
  const std::string* value = find(name);
  return value ? std::string_view(*value) : otherwise;
}

void Query::add(std::string name, std::string value) {
  parameters_.push_back({std::move(name), std::move(value)});
}

std::string Query::text() const {
  std::string out;
  for (const QueryParameter& parameter : parameters_) {
    if (!out.empty()) out += '&';
    out += percent_encode(parameter.name) + "=" + percent_encode(parameter.value);
  }
  return out;
}

}  // namespace adbrook::http
