#include "app/delivery.h"

#include <boost/json.hpp>

#include "app/commands.h"
#include "app/json_view.h"
#include "app/late_notice.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

constexpr std::array<std::string_view, kLaneCount> kLaneNames = {"impressions", "clicks",
                                                                 "dead letters"};
// Between two looks whether the engine has committed everything.
constexpr Millis kCommitWait{5'000};
constexpr Millis kAskAgain{100};

std::string count_text(std::uint64_t count) {
  return with_thousands(static_cast<long long>(count));
}

}  // namespace

Result<std::unique_ptr<Delivery>> Delivery::start(const SendArguments& arguments, Parts parts,
                                                  std::optional<std::uint64_t> total) {
  const auto retry_for = parse_duration(arguments.retry_for);
  if (!retry_for) return pass(retry_for.error(), "--retry-for");
  if (arguments.batch < 1 || arguments.batch > 10'000)
    return fail(ErrorKind::invalid, "--batch " + std::to_string(arguments.batch) +
                                        ": it must be a number from 1 to 10000");
  std::unique_ptr<Delivery> made(new Delivery(arguments, parts, total));
  if (arguments.to == "-") return made;
  auto server = ServerConnection::open(parts.executor, arguments.to);
  if (!server) return pass(std::move(server.error()), "--to");
  made->server_.emplace(std::move(*server));
  SenderOptions options;
  options.events_max = static_cast<std::size_t>(arguments.batch);
  options.retry_for = *retry_for;
  made->retry_for_ = *retry_for;
  made->sender_.emplace(*made->server_, made->clock_, made->interrupt_, options);
  return made;
}

Delivery::Delivery(const SendArguments& arguments, Parts parts, std::optional<std::uint64_t> total)
    : arguments_(arguments),
      console_(parts.console),
      interrupt_(parts.interrupt),
      progress_(
          clock_, "sending", "events", total,
          [&console = parts.console](std::string_view text) { console.say_piece(text); },
          console_.progress_options()) {}

Result<void> Delivery::add(const OutgoingEvent& event) {
  if (interrupt_.requested())
    return fail(ErrorKind::closed, "interrupted; what was acknowledged is kept");
  if (!sender_) {
    console_.print(event.json);
    console_.print("\n");
    return {};
  }
  auto added = sender_->add(event);
  std::uint64_t again = 0;
  for (const auto& lane : sender_->totals()) again += lane.sent_again;
  progress_.update(sender_->acknowledged(),
                   again ? count_text(again) + " sent again" : std::string());
  return added;
}

Result<void> Delivery::flush() { return sender_ ? sender_->flush() : Result<void>{}; }

Result<void> Delivery::pause_until(Timestamp moment) {
  const Millis left = moment - clock_.now();
  if (left <= Millis(0)) return {};
  if (auto sent = flush(); !sent) return sent;
  interrupt_.wait_for(left);
  return {};
}

int Delivery::give_up(const Error& error) {
  if (interrupt_.requested()) {
    say_totals();
    return kExitInterrupted;
  }
  return fail_command(console_, error);
}

int Delivery::finish() {
  if (auto sent = flush(); !sent) return give_up(sent.error());
  if (!sender_) return kExitDone;
  progress_.update(sender_->acknowledged());
  progress_.finish();
  if (!arguments_.no_wait)
    if (auto committed = wait_until_committed(); !committed) return give_up(committed.error());
  say_totals();
  say_outcomes();
  return kExitDone;
}

Result<void> Delivery::settle() {
  if (auto sent = flush(); !sent) return sent;
  return sender_ ? wait_until_committed() : Result<void>{};
}

Result<void> Delivery::note_watermarks() {
  if (!server_) return {};
  auto answer = ask_patiently("/v1/outcomes?wait=0ms");
  if (!answer) return pass(std::move(answer.error()));
  outcomes_before_ = std::move(*answer);
  return {};
}

Result<std::string> Delivery::ask_patiently(const std::string& target) {
  const Nanos started = clock_.monotonic();
  for (;;) {
    if (interrupt_.requested())
      return fail(ErrorKind::closed, "interrupted; what was acknowledged is kept");
    auto answer = server_->get(target);
    const bool may_pass = !answer && (answer.error().kind == ErrorKind::io_failed ||
                                      answer.error().kind == ErrorKind::overloaded);
    if (!may_pass || clock_.monotonic() - started >= retry_for_) return answer;
    interrupt_.wait_for(kAskAgain);
  }
}

Result<void> Delivery::wait_until_committed() {
  const std::string target = "/v1/outcomes?wait=" + std::to_string(kCommitWait.count()) + "ms";
  for (;;) {
    auto answer = ask_patiently(target);
    if (!answer) return pass(std::move(answer.error()));
    boost::system::error_code broken;
    const auto value = boost::json::parse(*answer, broken);
    const auto* object = broken ? nullptr : value.if_object();
    const auto* caught_up = object ? object->if_contains("caught_up") : nullptr;
    if (caught_up == nullptr || !caught_up->is_bool())
      return fail(ErrorKind::io_failed, "the engine's answer to " + target +
                                            " does not say whether everything is committed");
    if (!caught_up->as_bool()) {
      console_.say("waiting until the engine has committed everything");
      continue;
    }
    outcomes_after_ = std::move(*answer);
    return {};
  }
}

void Delivery::say_outcomes() {
  boost::system::error_code broken;
  const auto after = boost::json::parse(outcomes_after_, broken);
  const auto* object = broken ? nullptr : after.if_object();
  const auto* outcomes = object ? object->if_contains("outcomes") : nullptr;
  if (outcomes && outcomes->is_array())
    console_.print(print_table(table_of(outcomes->as_array()), TableFormat::table));
  const auto before = boost::json::parse(outcomes_before_, broken);
  if (broken) return;
  if (const std::string notice = late_notice(before, after); !notice.empty()) console_.say(notice);
}

void Delivery::say_totals() {
  if (!sender_) return;
  for (std::size_t i = 0; i < kLaneCount; ++i) {
    const LaneTotals& lane = sender_->totals()[i];
    if (lane.sent == 0) continue;
    console_.say(std::string(kLaneNames[i]) + ": " + count_text(lane.sent) + " sent, " +
                 count_text(lane.accepted) + " acknowledged, " + count_text(lane.refused) +
                 " refused, " + count_text(lane.sent_again) + " sent again");
  }
  if (!sender_->last_refusal().empty())
    console_.say("the last refusal was " + sender_->last_refusal());
}

}  // namespace adbrook::app
