#include "ads/generator_malformed.h"

#include <array>

namespace adbrook::ads {
namespace {

struct Broken {
  std::string_view field;
  Reason reason;
  std::string_view source;  // what follows the name of the field; empty: the field is left out
};

// Each breaks one field of an otherwise right event.
constexpr auto kBrokenFields = std::to_array<Broken>({
    {"uuid", Reason::missing_field, ""},
    {"uuid", Reason::bad_uuid, "\"0f7e1c2a-9b3d\""},
    {"uuid", Reason::wrong_type, "42"},
    {"timestamp", Reason::bad_time, "\"yesterday\""},
    {"timestamp", Reason::timestamp_out_of_range, "0"},
    {"timestamp", Reason::timestamp_out_of_range, "\"9999-12-31T23:59:59Z\""},
    {"campaignId", Reason::missing_field, ""},
    {"campaignId", Reason::wrong_type, "\"seven\""},
    {"campaignId", Reason::out_of_range, "-1"},
    {"pubId", Reason::out_of_range, "9007199254740992"},
    {"pubId", Reason::wrong_type, "1.5"},
    {"country", Reason::bad_country, "\"USA\""},
    {"ip", Reason::bad_ip, "\"999.1.1.1\""},
    {"latitude", Reason::out_of_range, "90.5"},
    {"city", Reason::wrong_type, "[\"Paris\"]"},
});

void append_field(std::string& to, std::string_view name, std::string_view source) {
  if (source.empty()) return;
  if (to.back() != '{') to += ',';
  ((to += '"') += name) += "\":";
  to += source;
}

void write_broken(std::string& json, const Broken& broken, const SyntheticEvent& event) {
  const auto source = [&](std::string_view field, std::string right) {
    return field == broken.field ? std::string(broken.source) : right;
  };
  json = "{";
  append_field(json, "uuid", source("uuid", '"' + event.id.to_string() + '"'));
  append_field(json, "timestamp", source("timestamp", std::to_string(event.time.ms)));
  append_field(json, "campaignId", source("campaignId", std::to_string(event.campaign + 1)));
  append_field(json, "pubId", source("pubId", std::to_string(event.publisher + 1)));
  for (const std::string_view field : {"country", "ip", "latitude", "city"})
    append_field(json, field, source(field, ""));
  json += '}';
}

}  // namespace

MalformedEvent make_malformed(std::string& json, const SyntheticEvent& event,
                              GeneratorRandom& random) {
  constexpr std::size_t kWholeKinds = 4;
  const std::size_t kind = random.below(kBrokenFields.size() + kWholeKinds);
  switch (kind) {
    case 0:  // cut short, as by a connection that broke
      json.resize(json.size() / 2);
      return {"", Reason::unreadable};
    case 1: json = "[" + json + "]"; return {"", Reason::not_an_object};
    case 2: json = "hello"; return {"", Reason::unreadable};
    case 3:
      json.insert(json.size() - 1, ",\"note\":\"\xC3\x28\"");  // no UTF-8
      return {"", Reason::unreadable};
    default: break;
  }
  const Broken& broken = kBrokenFields[kind - kWholeKinds];
  write_broken(json, broken, event);
  return {broken.field, broken.reason};
}

}  // namespace adbrook::ads
