#include "app/sender.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.h"

namespace adbrook::app {
namespace {

constexpr std::array<std::string_view, kLaneCount> kTargets = {"/v1/impressions", "/v1/clicks",
                                                               "/v1/dead-letters"};
constexpr Millis kLongestRetryAfter{30'000};

std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }

// Retry-After in seconds; RFC 9110 also allows a date, which we do not send.
Millis retry_after(const http::ClientResponse& answer, Millis otherwise) {
  const std::string_view text = answer.fields.find("Retry-After");
  std::int64_t seconds = 0;
  const auto [at, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || ec != std::errc{} || seconds < 0) return otherwise;
  return std::min(std::max(Millis(seconds * 1000), otherwise), kLongestRetryAfter);
}

bool worth_retrying(const Result<http::ClientResponse>& answer) {
  return !answer || answer->status == 429 || answer->status >= 500;
}

}  // namespace

Sender::Sender(ServerConnection& server, io::Clock& clock, Interrupt& interrupt,
               SenderOptions options)
    : server_(server), clock_(clock), interrupt_(interrupt), options_(options) {}

bool Sender::must_go_first(const OutgoingEvent& event) const {
  const Batch& batch = batches_[index_of(event.lane)];
  if (batch.count >= options_.events_max) return true;
  if (batch.count > 0 && batch.body.size() + event.json.size() >= options_.bytes_max) return true;
  // Alone, a topic cannot be ahead of anything.
  const Batch& other =
      batches_[index_of(event.lane == Lane::clicks ? Lane::impressions : Lane::clicks)];
  if (event.lane == Lane::dead_letters || other.count == 0) return false;
  return std::max(latest_, event.time) - earliest_ > options_.ahead_max;
}

Result<void> Sender::add(const OutgoingEvent& event) {
  if (must_go_first(event))
    if (auto sent = flush(); !sent) return sent;
  Batch& batch = batches_[index_of(event.lane)];
  batch.body += event.json;
  batch.body += '\n';
  ++batch.count;
  if (event.lane != Lane::dead_letters) {
    latest_ = std::max(latest_, event.time);
    // An event far behind its time is sent now because now is when it arrives.
    if (event.time + options_.ahead_max >= latest_) earliest_ = std::min(earliest_, event.time);
  }
  return {};
}

Result<void> Sender::flush() {
  for (const Lane lane : {Lane::impressions, Lane::clicks, Lane::dead_letters})
    if (auto sent = deliver(lane); !sent) return sent;
  earliest_ = Timestamp::highest();
  return {};
}

std::uint64_t Sender::acknowledged() const {
  std::uint64_t sum = 0;
  for (const LaneTotals& lane : totals_) sum += lane.accepted + lane.refused;
  return sum;
}

Result<void> Sender::deliver(Lane lane) {
  Batch& batch = batches_[index_of(lane)];
  if (batch.count == 0) return {};
  LaneTotals& totals = totals_[index_of(lane)];
  const Nanos started = clock_.monotonic();
  Millis pause = options_.first_pause;
  for (bool again = false;; again = true) {
    if (interrupt_.requested())
      return fail(ErrorKind::closed, "interrupted while sending; what was acknowledged is kept");
    (again ? totals.sent_again : totals.sent) += batch.count;
    const auto answer = server_.exchange({.method = http::Method::post,
                                          .target = std::string(kTargets[index_of(lane)]),
                                          .content_type = "application/x-ndjson",
                                          .body = batch.body});
    if (!worth_retrying(answer)) {
      const auto read = read_answer(lane, *answer);
      if (read) batch = {};
      return read;
    }
    if (clock_.monotonic() - started >= options_.retry_for) {
      const std::string why = answer ? problem_detail(answer->body) : answer.error().message;
      return fail(answer ? ErrorKind::overloaded : ErrorKind::io_failed,
                  "nothing was acknowledged for " + format_duration(options_.retry_for) + ": " +
                      why + " (--retry-for sets how long to try)");
    }
    interrupt_.wait_for(answer ? retry_after(*answer, pause) : pause);
    pause = std::min(pause * 2, options_.last_pause);
  }
}

Result<void> Sender::read_answer(Lane lane, const http::ClientResponse& answer) {
  const Batch& batch = batches_[index_of(lane)];
  LaneTotals& totals = totals_[index_of(lane)];
  boost::system::error_code broken;
  const auto value = boost::json::parse(answer.body, broken);
  const auto* object = broken ? nullptr : value.if_object();
  const auto* rejected = object ? object->if_contains("rejected") : nullptr;
  const std::uint64_t refused = rejected && rejected->is_array() ? rejected->as_array().size() : 0;
  if (answer.status < 300 && refused <= batch.count) {
    totals.accepted += batch.count - refused;
  } else if (answer.status != 400 || refused == 0) {
    return fail(ErrorKind::invalid, server_.url() + std::string(kTargets[index_of(lane)]) +
                                        " answered " + std::to_string(answer.status) + ": " +
                                        problem_detail(answer.body));
  }
  totals.refused += refused;
  if (refused > 0) last_refusal_ = printable(boost::json::serialize(rejected->as_array()[0]), 400);
  return {};
}

}  // namespace adbrook::app
