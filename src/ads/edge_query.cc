#include "ads/edge_query.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "ads/event_refusal.h"
#include "base/assert.h"

namespace adbrook::ads {
namespace {

constexpr std::string_view kTargetName = "to";
constexpr std::string_view kSignatureName = "sig";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Nothing when an escape is broken.
std::optional<std::string_view> percent_decoded(std::string_view source, EventText& text) {
  if (source.find_first_of("%+") == std::string_view::npos) return source;
  char* const out = text.room(source.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '+') {
      out[size++] = ' ';
    } else if (source[i] != '%') {
      out[size++] = source[i];
    } else {
      if (source.size() - i < 3) return std::nullopt;
      const int high = hex_value(source[i + 1]), low = hex_value(source[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out[size++] = static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return std::string_view(out, size);
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_percent_encoded(std::string& to, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      to += c;
      continue;
    }
    to += '%';
    to += kDigits[static_cast<unsigned char>(c) >> 4];
    to += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

std::string base64url(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8) | byte;
    for (bit_count += 8; bit_count >= 6; bit_count -= 6)
      out += kDigits[(bits >> (bit_count - 6)) & 63];
  }
  if (bit_count > 0) out += kDigits[(bits << (6 - bit_count)) & 63];
  return out;
}

std::unexpected<Refusal> bad_target(std::string_view url, std::string_view rule) {
  return std::unexpected(refuse(kTargetName, Reason::bad_target, url, rule));
}

}  // namespace

Checked<Query> Query::parse(std::string_view source, EventText& text) {
  const auto no = [](Reason reason, std::string_view value, std::string_view rule) {
    return std::unexpected(refuse({}, reason, value, rule));
  };
  if (source.size() > kQuerySizeMax)
    return no(Reason::too_long, source,
              "a query of at most " + std::to_string(kQuerySizeMax) + " bytes");
  Query query;
  while (!source.empty()) {
    const std::string_view part = source.substr(0, source.find('&'));
    source.remove_prefix(std::min(source.size(), part.size() + 1));
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    const auto name = percent_decoded(part.substr(0, equals), text);
    const auto value = percent_decoded(part.substr(std::min(part.size(), equals + 1)), text);
    if (!name || !value)
      return no(Reason::unreadable, part, "percent-encoded with two hex digits each");
    if (query.find(*name))
      return std::unexpected(refuse(*name, Reason::duplicate_field, *value, "given once"));
    if (query.parameters_.size() == kQueryParameterCountMax)
      return no(Reason::too_many_fields, part,
                "one of at most " + std::to_string(kQueryParameterCountMax) + " parameters");
    query.parameters_.push_back({*name, *value});
  }
  return query;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const QueryParameter& parameter : parameters_)
    if (parameter.name == name) return parameter.value;
  return std::nullopt;
}

template <class Event>
Checked<Event> event_from_query(const Query& query, const QueryDefaults& defaults,
                                EventBuilder<Event>& builder, EventText& text) {
  builder.begin();
  for (const QueryParameter& parameter : query.parameters()) {
    if (parameter.name == kTargetName || parameter.name == kSignatureName) continue;
    const FieldValue value{FieldValue::Kind::word, parameter.value};
    if (auto put = builder.put(parameter.name, value); !put)
      return std::unexpected(std::move(put.error()));
  }
  if (!query.find("uuid")) {
    const std::string id = defaults.id.to_string();
    if (auto put = builder.put("uuid", {FieldValue::Kind::word, text.keep(id)}); !put)
      return std::unexpected(std::move(put.error()));
  }
  if (!query.find("timestamp")) {
    const FieldValue now{FieldValue::Kind::integer, {}, defaults.timestamp.ms};
    if (auto put = builder.put("timestamp", now); !put)
      return std::unexpected(std::move(put.error()));
  }
  return builder.finish();
}

template Checked<Impression> event_from_query(const Query&, const QueryDefaults&,
                                              EventBuilder<Impression>&, EventText&);
template Checked<Click> event_from_query(const Query&, const QueryDefaults&, EventBuilder<Click>&,
                                         EventText&);

std::string canonical_query(const Query& query) {
  std::vector<QueryParameter> sorted;
  for (const QueryParameter& parameter : query.parameters())
    if (parameter.name != kSignatureName) sorted.push_back(parameter);
  std::ranges::sort(sorted, {}, &QueryParameter::name);
  std::string out;
  for (const QueryParameter& parameter : sorted) {
    if (!out.empty()) out += '&';
    append_percent_encoded(out, parameter.name);
    out += '=';
    append_percent_encoded(out, parameter.value);
  }
  return out;
}

std::string sign_query(const Query& query, ByteView key) {
  const std::string canonical = canonical_query(query);
  std::array<unsigned char, 32> mac{};
  unsigned int size = 0;
  const unsigned char* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                   reinterpret_cast<const unsigned char*>(canonical.data()),
                                   canonical.size(), mac.data(), &size);
  ADBROOK_ASSERT(made != nullptr && size == mac.size(), "SHA-256 is always available");
  return base64url(mac);
}

bool is_signed(const Query& query, ByteView key) {
  const auto given = query.find(kSignatureName);
  if (!given) return false;
  const std::string right = sign_query(query, key);
  return given->size() == right.size() &&
         CRYPTO_memcmp(given->data(), right.data(), right.size()) == 0;
}

Checked<void> check_target(std::string_view url) {
  if (url.size() > kTargetSizeMax)
    return bad_target(url, "at most " + std::to_string(kTargetSizeMax) + " bytes");
  for (const char c : url)
    if (static_cast<unsigned char>(c - 0x21) > 0x7E - 0x21 || c == '\\')
      return bad_target(url, "printable ASCII without spaces and backslashes");
  std::string scheme(url.substr(0, std::min(url.find(':'), url.size())));
  std::ranges::transform(scheme, scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if ((scheme != "http" && scheme != "https") || !url.substr(scheme.size()).starts_with("://"))
    return bad_target(url, "an absolute address that starts with http:// or https://");
  const std::string_view rest = url.substr(scheme.size() + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return bad_target(url, "an address without a user name");
  if (authority.empty() || authority.front() == ':')
    return bad_target(url, "an address with a host");
  return {};
}

}  // namespace adbrook::ads
