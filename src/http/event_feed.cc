#include "http/event_feed.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "http/problem.h"

namespace adbrook::http {
namespace {

// After a lost connection the reader waits this long, in ms.
constexpr std::string_view kRetry = "retry: 1000\n";
constexpr std::size_t kPieceSizeMax = 256 << 10;

std::string written(std::string_view epoch, std::uint64_t number, std::string_view event,
                    std::string_view data) {
  ADBROOK_ASSERT(event.find_first_of("\r\n") == std::string_view::npos &&
                     data.find_first_of("\r\n") == std::string_view::npos,
                 "an event's name and data are one line each");
  std::string out;
  out.reserve(data.size() + 64);
  out.append("id: ").append(epoch).append("-").append(std::to_string(number));
  out.append("\nevent: ").append(event).append("\ndata: ").append(data).append("\n\n");
  return out;
}

// The number in "<epoch>-<number>"; nothing when the id is another feed's.
std::optional<std::uint64_t> number_of(std::string_view id, std::string_view epoch) {
  if (!id.starts_with(epoch) || id.substr(epoch.size()).size() < 2 || id[epoch.size()] != '-')
    return std::nullopt;
  const std::string_view digits = id.substr(epoch.size() + 1);
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc() || stop != digits.end()) return std::nullopt;
  return number;
}

Response too_many_readers(std::size_t count) {
  Response refused = problem_response(
      Problem{.status = 503,
              .title = {},
              .detail = "there are " + std::to_string(count) +
                        " readers of this stream already; close a page that is not looked at"});
  refused.fields.emplace_back("Retry-After", "5");
  return refused;
}

}  // namespace

// Shared by the feed and its readers; every member is guarded by the mutex, since events are
// published on one thread and read on those of the connections.
struct EventFeed::State {
  struct Waiting {
    Reader* reader;
    PieceReady ready;
  };

  std::uint64_t end() const { return first + events.size(); }

  mutable std::mutex mutex;
  std::string epoch;
  EventFeedOptions options;
  std::deque<std::string> events;
  std::uint64_t first = 1;  // number of events.front()
  std::size_t bytes = 0;
  std::size_t reader_count = 0;
  std::vector<Waiting> waiting;
  bool closed = false;
};

// One connection's place in the feed.
class EventFeed::Reader {
 public:
  Reader(std::shared_ptr<State> state, std::uint64_t next)
      : state_(std::move(state)), next_(next) {}
  ~Reader() {
    const std::lock_guard lock(state_->mutex);
    --state_->reader_count;
    std::erase_if(state_->waiting, [this](const auto& one) { return one.reader == this; });
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void give(PieceReady ready) {
    std::unique_lock lock(state_->mutex);
    if (!state_->closed && next_ == state_->end())
      return state_->waiting.push_back({this, std::move(ready)});
    auto piece = take();
    lock.unlock();
    ready(std::move(piece));
  }

  // Everything from here on, up to the size of a piece. Under the lock.
  Result<std::string> take() {
    if (state_->closed) return std::string();
    if (next_ < state_->first)
      return fail(ErrorKind::overloaded,
                  "event stream: the reader is slower than the events; it may come again");
    std::string piece;
    for (; next_ < state_->end() && piece.size() < kPieceSizeMax; ++next_)
      piece += state_->events[next_ - state_->first];
    return piece;
  }

 private:
  std::shared_ptr<State> state_;  // the feed may be gone before the last connection
  std::uint64_t next_;            // number of the event that this reader wants next
};

EventFeed::EventFeed(std::string epoch, EventFeedOptions options)
    : state_(std::make_shared<State>()) {
  state_->epoch = std::move(epoch);
  state_->options = options;
}

EventFeed::~EventFeed() {
  std::vector<State::Waiting> waiting;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    waiting.swap(state_->waiting);
  }
  for (State::Waiting& one : waiting) one.ready(std::string());
}

Response EventFeed::open(const Request& request, std::string_view greeting) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (state.closed || state.reader_count >= state.options.readers_max)
    return too_many_readers(state.reader_count);
  Response response{.content_type = "text/event-stream"};
  // A proxy that gathers answers would turn a live stream into a late one.
  response.fields.emplace_back("X-Accel-Buffering", "no");
  if (request.method == Method::head) {
    response.live = [](PieceReady ready) { ready(std::string()); };
    return response;
  }
  std::uint64_t next = state.end();
  response.body = kRetry;
  const auto last = number_of(request.fields.find("Last-Event-ID"), state.epoch);
  if (last && *last + 1 >= state.first && *last < state.end())
    next = *last + 1;
  else
    response.body += written(state.epoch, next - 1, "hello", greeting);
  ++state.reader_count;
  response.live = [reader = std::make_unique<Reader>(state_, next)](PieceReady ready) {
    reader->give(std::move(ready));
  };
  return response;
}

void EventFeed::publish(std::string_view event, std::string_view data) {
  std::vector<std::pair<PieceReady, Result<std::string>>> served;
  {
    State& state = *state_;
    const std::lock_guard lock(state.mutex);
    state.events.push_back(written(state.epoch, state.end(), event, data));
    state.bytes += state.events.back().size();
    while (state.events.size() > state.options.kept_count_max ||
           (state.bytes > state.options.kept_bytes_max && state.events.size() > 1)) {
      state.bytes -= state.events.front().size();
      state.events.pop_front();
      ++state.first;
    }
    for (State::Waiting& one : state.waiting)
      served.emplace_back(std::move(one.ready), one.reader->take());
    state.waiting.clear();
  }
  for (auto& [ready, piece] : served) ready(std::move(piece));
}

std::size_t EventFeed::reader_count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reader_count;
}

}  // namespace adbrook::http
