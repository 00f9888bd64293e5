#include "app/link_collector.h"

#include <utility>

namespace adbrook::app {
namespace {

Collector::Done answered_with(LinkAnswer answer, LinkCollector::Done done) {
  return
      [answer = std::move(answer), done = std::move(done)](Result<CollectAnswer> appended) mutable {
        if (!appended) return done(pass(std::move(appended.error())));
        done(std::move(answer));
      };
}

// Where the link leads, or why nowhere.
ads::Checked<std::string> checked_target(const ads::Query& query, ByteView key) {
  const auto target = query.find("to");
  if (!target)
    return std::unexpected(
        ads::refuse("to", ads::Reason::missing_field, {}, "the address the click leads to"));
  if (!ads::is_signed(query, key))
    return std::unexpected(ads::refuse("sig", ads::Reason::bad_signature,
                                       query.find("sig").value_or(""),
                                       "a signature of this engine (adbrook sign-url makes it)"));
  if (auto good = ads::check_target(*target); !good)
    return std::unexpected(std::move(good.error()));
  return std::string(*target);
}

}  // namespace

template <class Event>
ads::Checked<Event> LinkCollector::read_event(const ads::Query& query, ads::EventText& text) {
  ads::EventBuilder<Event> builder({.time_end = collector_.time_end()}, text);
  const std::uint64_t high = random_.next();
  const std::uint64_t low = random_.next();
  return ads::event_from_query<Event>(query, {.id = Uuid{high, low}, .timestamp = clock_.now()},
                                      builder, text);
}

void LinkCollector::pixel(std::string_view source, Done done) {
  ads::EventText text;
  const auto query = ads::Query::parse(source, text);
  auto event = query ? read_event<ads::Impression>(*query, text)
                     : ads::Checked<ads::Impression>(std::unexpected(query.error()));
  if (!event)
    return keep_refused(ads::kImpressionsTopic, "GET /v1/pixel.gif", source,
                        {.target = {}, .refused = std::move(event.error())}, std::move(done));
  collector_.append(*event, "pixel", answered_with({}, std::move(done)));
}

void LinkCollector::click(std::string_view source, Done done) {
  constexpr std::string_view kRoute = "GET /v1/click";
  ads::EventText text;
  const auto query = ads::Query::parse(source, text);
  auto target = query ? checked_target(*query, click_key_)
                      : ads::Checked<std::string>(std::unexpected(query.error()));
  if (!target)
    return keep_refused(ads::kClicksTopic, kRoute, source,
                        {.target = {}, .refused = std::move(target.error())}, std::move(done));
  auto event = read_event<ads::Click>(*query, text);
  if (!event)
    return keep_refused(ads::kClicksTopic, kRoute, source,
                        {.target = std::move(*target), .refused = std::move(event.error())},
                        std::move(done));
  collector_.append(*event, "link",
                    answered_with({.target = std::move(*target), .refused = {}}, std::move(done)));
}

void LinkCollector::keep_refused(std::string_view topic, std::string_view route,
                                 std::string_view query, LinkAnswer answer, Done done) {
  const ads::Refusal refusal = *answer.refused;
  collector_.metrics().refused(topic, refusal.reason).add();
  collector_.append(ads::DeadLetter{.source = route,
                                    .place = 0,
                                    .reason = to_string(refusal.reason),
                                    .field = refusal.field,
                                    .detail = refusal.detail,
                                    .bytes = as_bytes(query)},
                    answered_with(std::move(answer), std::move(done)));
}

}  // namespace adbrook::app
