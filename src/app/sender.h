// Sends events to a running engine's collector, in event-time order and so that nothing is lost:
// what was not acknowledged is sent again until it is, and counted.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "app/interrupt.h"
#include "app/server_connection.h"
#include "io/clock.h"

namespace adbrook::app {

enum class Lane : std::uint8_t { impressions, clicks, dead_letters };
inline constexpr std::size_t kLaneCount = 3;

// One event as the collector reads it, on one line.
struct OutgoingEvent {
  Lane lane = Lane::impressions;
  Timestamp time;
  std::string_view json;
};

struct LaneTotals {
  std::uint64_t sent = 0;        // each event once
  std::uint64_t accepted = 0;    // acknowledged as durable
  std::uint64_t refused = 0;     // answered with a reason
  std::uint64_t sent_again = 0;  // each further copy
};
using SendTotals = std::array<LaneTotals, kLaneCount>;

struct SenderOptions {
  std::size_t events_max = 1000;    // in one request
  std::size_t bytes_max = 1 << 20;  // in one request
  Millis ahead_max{10'000};         // how far one topic may be ahead of the other
  Millis retry_for{120'000};        // without progress
  Millis first_pause{50};           // doubles up to last_pause
  Millis last_pause{2'000};
};

// Owned by one thread. One request is under way at a time: impressions go before the clicks of the
// same moments, and both before anything later.
class Sender {
 public:
  Sender(ServerConnection& server, io::Clock& clock, Interrupt& interrupt, SenderOptions options);

  // Sends what is collected when the new event must not join it. closed: interrupted; io_failed,
  // overloaded: no progress for `retry_for`; invalid: the engine does not take such requests.
  Result<void> add(const OutgoingEvent& event);
  // Sends the rest. Everything is acknowledged when it returns without an error.
  Result<void> flush();

  const SendTotals& totals() const { return totals_; }
  std::uint64_t acknowledged() const;
  // The engine's last words when it refused something; empty when it never did.
  const std::string& last_refusal() const { return last_refusal_; }

 private:
  struct Batch {
    std::string body;
    std::uint64_t count = 0;
  };
  bool must_go_first(const OutgoingEvent& event) const;
  Result<void> deliver(Lane lane);
  Result<void> read_answer(Lane lane, const http::ClientResponse& answer);

  ServerConnection& server_;
  io::Clock& clock_;
  Interrupt& interrupt_;
  SenderOptions options_;
  std::array<Batch, kLaneCount> batches_;
  Timestamp earliest_ = Timestamp::highest();  // of the collected events in order; late ones count
  Timestamp latest_ = Timestamp::lowest();     // as happening now
  SendTotals totals_{};
  std::string last_refusal_;
};

}  // namespace adbrook::app
