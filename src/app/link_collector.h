// Events from links: the pixel (an impression in a query string) and the signed click link. Nobody
// behind a browser can be told about a bad field, so what is refused here becomes a dead letter.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ads/edge_query.h"
#include "app/collector.h"
#include "base/bytes.h"
#include "io/random.h"

namespace adbrook::app {

struct LinkAnswer {
  // Where the click goes on to. Empty for a pixel, and for a link that leads nowhere: then
  // `refused` says why.
  std::string target;
  std::optional<ads::Refusal> refused;  // the event lies in the dead letters
};

// Thread-safe. What it is made from must outlive it.
class LinkCollector {
 public:
  // Called once, when the event or its dead letter is durable. Errors as Collector::Done.
  using Done = std::move_only_function<void(Result<LinkAnswer>)>;

  LinkCollector(Collector& collector, io::Clock& clock, io::Random& random, Buffer click_key)
      : collector_(collector), clock_(clock), random_(random), click_key_(std::move(click_key)) {}

  // `query` as it stands behind the '?'.
  void pixel(std::string_view query, Done done);
  // A link with a bad signature or target leads nowhere; a good one with a bad field still leads
  // on.
  void click(std::string_view query, Done done);

 private:
  void keep_refused(std::string_view topic, std::string_view route, std::string_view query,
                    LinkAnswer answer, Done done);
  template <class Event>
  ads::Checked<Event> read_event(const ads::Query& query, ads::EventText& text);

  Collector& collector_;
  io::Clock& clock_;
  io::Random& random_;
  const Buffer click_key_;
};

}  // namespace adbrook::app
