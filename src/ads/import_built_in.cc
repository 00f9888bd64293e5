// The two mappings that every engine knows, for real data that is public: 1.USA.gov clicks and the
// Open Bandit Dataset. What they take from where is in docs/import.md.
#include <algorithm>
#include <string>

#include "ads/event_json.h"
#include "ads/import_mapping.h"
#include "ads/import_user_agent.h"
#include "base/text.h"
#include "serde/json_reader.h"

namespace adbrook::ads {
namespace {

std::string_view text_in(const ImportRow& row, std::string_view column) {
  const FieldValue* const value = row.find(column);
  return value && value->kind != FieldValue::Kind::null ? value->text : std::string_view();
}

// The host of a referrer in lower case; "direct" when there is none.
std::string referrer_host(std::string_view referrer) {
  const auto scheme_end = referrer.find("://");
  if (scheme_end == std::string_view::npos) return "direct";
  std::string_view host = referrer.substr(scheme_end + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  host = host.substr(host.rfind('@') + 1);  // npos + 1 = 0: the whole
  host = host.substr(0, host.find(':'));
  std::string out(host.empty() ? "direct" : host);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

class UsaGovMapper : public RowMapper {
 public:
  std::vector<std::string> needed_columns() const override { return {}; }

  Checked<void> map(const ImportRow& row, Millis shift, std::vector<MappedEvent>& to) override {
    if (row.find("_heartbeat_")) return {};
    text_.clear();
    builder_.begin();
    const std::string id = id_of(row.bytes).to_string();
    const UserAgent agent = read_user_agent(text_in(row, "a"));
    const std::pair<std::string_view, FieldValue> values[] = {
        {"uuid", {FieldValue::Kind::text, id}},
        {"timestamp", time_of(row)},
        {"campaignId", hashed(text_in(row, "l"))},
        {"pubId", hashed(referrer_host(text_in(row, "r")))},
        {"city", {FieldValue::Kind::text, text_in(row, "cy")}},
        {"country", {FieldValue::Kind::text, text_in(row, "c")}},
        {"browser", {FieldValue::Kind::text, agent.browser}},
        {"platform", {FieldValue::Kind::text, agent.platform}},
    };
    for (const auto& [name, value] : values)
      if (auto put = builder_.put(name, value); !put) return put;
    if (auto put = put_place(row); !put) return put;
    auto event = builder_.finish();
    if (!event) return std::unexpected(std::move(event.error()));
    event->timestamp = event->timestamp + shift;
    MappedEvent& out = to.emplace_back();
    out.kind = EventKind::click;
    out.time = event->timestamp;
    out.json = event_json(*event);
    return {};
  }

 private:
  static FieldValue hashed(std::string_view text) {
    return {FieldValue::Kind::integer, {}, number_of(text)};
  }
  static FieldValue time_of(const ImportRow& row) {
    const FieldValue* const seconds = row.find("t");
    if (!seconds) return {};
    FieldValue out = *seconds;
    // A value this large is refused by the field's range, multiplied or not.
    if (out.kind == FieldValue::Kind::integer && out.integer < 1'000'000'000'000)
      out.integer *= 1000;
    return out;
  }
  // "ll" is an array of latitude and longitude.
  Checked<void> put_place(const ImportRow& row) {
    const FieldValue* const place = row.find("ll");
    if (!place || place->kind != FieldValue::Kind::nested) return {};
    const auto values = reader_.array(place->text);
    if (!values || values->size() != 2) return {};
    constexpr std::string_view kNames[] = {"latitude", "longitude"};
    for (std::size_t i = 0; i < 2; ++i) {
      const auto degrees = (*values)[i].number();
      if (!degrees) continue;
      const FieldValue value{FieldValue::Kind::real, (*values)[i].raw, 0, *degrees};
      if (auto put = builder_.put(kNames[i], value); !put) return put;
    }
    return {};
  }

  EventText text_;
  EventBuilder<Click> builder_{{}, text_};
  serde::JsonReader reader_;
};

// Each row is an impression; one with the flag is a click too. The time of the click was not
// recorded, so it has its impression's.
class ObdMapper : public RowMapper {
 public:
  ObdMapper(std::string policy, std::string campaign)
      : policy_(std::move(policy)), campaign_(std::move(campaign)) {}

  std::vector<std::string> needed_columns() const override {
    return {"", "timestamp", "item_id", "position", "click", "propensity_score"};
  }

  Checked<void> map(const ImportRow& row, Millis shift, std::vector<MappedEvent>& to) override {
    text_.clear();
    const std::string_view flag = text_in(row, "click");
    if (flag != "0" && flag != "1")
      return std::unexpected(refuse("click", Reason::wrong_type, flag, "0 or 1"));
    const std::string number(text_in(row, ""));
    const std::string name = "obd/" + policy_ + "/" + campaign_ + "/" + number;
    const std::string id = id_of(name).to_string(), click_id = id_of(name + "/click").to_string();
    const std::string decision = policy_ + "/" + number;

    impressions_.begin();
    const std::pair<std::string_view, FieldValue> values[] = {
        {"creativeId", {FieldValue::Kind::word, text_in(row, "item_id")}},
        {"placementId", {FieldValue::Kind::word, text_in(row, "position")}},
        {"decisionId", {FieldValue::Kind::text, decision}},
        {"propensity", {FieldValue::Kind::word, text_in(row, "propensity_score")}},
    };
    for (const auto& [field, value] : values)
      if (auto put = impressions_.put(field, value); !put) return put;
    if (auto added = finish(impressions_, row, id, shift, to); !added || flag == "0") return added;
    clicks_.begin();
    if (auto put = clicks_.put("impressionId", {FieldValue::Kind::text, id}); !put) return put;
    return finish(clicks_, row, click_id, shift, to);
  }

 private:
  template <class Event>
  Checked<void> finish(EventBuilder<Event>& builder, const ImportRow& row, std::string_view id,
                       Millis shift, std::vector<MappedEvent>& to) {
    const std::pair<std::string_view, FieldValue> values[] = {
        {"uuid", {FieldValue::Kind::text, id}},
        {"timestamp", {FieldValue::Kind::word, text_in(row, "timestamp")}},
        {"campaignId", {FieldValue::Kind::integer, {}, campaign_ == "men" ? 1 : 2}},
        {"pubId", {FieldValue::Kind::integer, {}, 1}},
    };
    for (const auto& [field, value] : values)
      if (auto put = builder.put(field, value); !put) return put;
    auto event = builder.finish();
    if (!event) return std::unexpected(std::move(event.error()));
    event->timestamp = event->timestamp + shift;
    MappedEvent& out = to.emplace_back();
    out.kind = std::is_same_v<Event, Impression> ? EventKind::impression : EventKind::click;
    out.time = event->timestamp;
    out.json = event_json(*event);
    return {};
  }

  std::string policy_, campaign_;
  EventText text_;
  EventBuilder<Impression> impressions_{{}, text_};
  EventBuilder<Click> clicks_{{}, text_};
};

// "random" and "men" of ".../random_men.csv.gz".
Result<MapperOfFile> obd_mapper(const std::string& path) {
  std::string_view name = path;
  name = name.substr(name.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  const auto bar = std::min(name.find('_'), name.size());
  const std::string policy(name.substr(0, bar));
  const std::string campaign(name.substr(std::min(name.size(), bar + 1)));
  if (policy.empty() || (campaign != "men" && campaign != "women"))
    return fail(ErrorKind::invalid,
                path +
                    ": mapping 'obd' takes policy and campaign from the file's name; name it "
                    "like random_men.csv or bts_women.csv.gz");
  return MapperOfFile{std::make_unique<ObdMapper>(policy, campaign), ImportFormat::csv, ','};
}

}  // namespace

Result<MapperOfFile> built_in_mapper(std::string_view name, const std::string& path) {
  if (name == "usagov")
    return MapperOfFile{std::make_unique<UsaGovMapper>(), ImportFormat::ndjson, 0};
  if (name == "obd") return obd_mapper(path);
  return fail(ErrorKind::invalid, "import: there is no mapping '" + printable(name, 80) + "'" +
                                      did_you_mean(name, kBuiltInMappings) +
                                      "; built in are usagov and obd, others come from a file "
                                      "(--mapping FILE)");
}

}  // namespace adbrook::ads
