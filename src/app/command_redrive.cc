// `dead-letters redrive`: dead letters are sent again as events, as they were or corrected. The
// letters stay, and one is marked exactly when its event was taken, so that the command can be
// stopped and run again.
#include <boost/json.hpp>
#include <optional>

#include "ads/dead_letter_list.h"
#include "app/commands.h"
#include "app/interrupt.h"
#include "app/json_view.h"
#include "app/progress.h"
#include "app/redrive_item.h"
#include "app/server_connection.h"
#include "base/text.h"
#include "http/query.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

namespace json = boost::json;

// As many as one answer lists: the engine reads the whole topic for each page.
constexpr std::size_t kLettersPerPage = ads::kListedLettersMax;
constexpr std::size_t kRequestSizeMax = 4 << 20;  // one line alone may be longer
constexpr std::size_t kRefusalsKeptMax = 1'000;   // for --json
constexpr std::size_t kRefusalsShownMax = 20;
constexpr std::uint64_t kFileSizeMax = 8 << 20;
constexpr std::string_view kForged = "bad_signature";

Result<json::object> parse_object(std::string_view body) {
  boost::system::error_code broken;
  auto value = json::parse(body, broken);
  if (!broken && value.is_object()) return std::move(value.as_object());
  return fail(ErrorKind::io_failed, "the answer is no JSON object: " + printable(body, 200) +
                                        "; is an adbrook engine behind --server?");
}

json::array array_of(json::object& object, std::string_view name) {
  auto* list = object.if_contains(name);
  return list && list->is_array() ? std::move(list->as_array()) : json::array();
}

// What is under way, letter by letter. Owned by one thread.
class Redriver {
 public:
  Redriver(const Arguments& arguments, RedriveRules rules, ServerConnection& server,
           Console& console)
      : arguments_(arguments), rules_(std::move(rules)), server_(server), console_(console) {}

  Result<void> send_named();
  // Page by page, oldest first, what waits under --reason, or all of it.
  Result<void> send_waiting(const Interrupt& interrupt);
  // Prints the totals; gives the exit code.
  int finish(const Result<void>& result, bool interrupted);

 private:
  Result<json::object> ask(const std::string& target) {
    const auto body = server_.get(target);
    if (!body) return pass(body.error());
    return parse_object(*body);
  }
  Result<std::int64_t> count_waiting();
  bool leave_out(const json::object& letter);
  Result<void> add(const json::object& letter);
  Result<void> send();
  Result<void> read_answer(const http::ClientResponse& answer);
  void refuse(const std::string& letter, const std::string& field, const std::string& reason,
              const std::string& detail);

  const Arguments& arguments_;
  const RedriveRules rules_;
  ServerConnection& server_;
  Console& console_;
  io::RealClock clock_;
  std::optional<Progress> progress_;  // where there may be many
  std::string body_;
  std::vector<std::string> in_body_;  // the letters of `body_`
  std::uint64_t accepted_ = 0, refused_ = 0, forged_left_ = 0;
  json::array refusals_;
};

void Redriver::refuse(const std::string& letter, const std::string& field,
                      const std::string& reason, const std::string& detail) {
  if (++refused_ <= kRefusalsKeptMax)
    refusals_.push_back(
        json::object{{"letter", letter}, {"field", field}, {"reason", reason}, {"detail", detail}});
}

Result<void> Redriver::read_answer(const http::ClientResponse& answer) {
  boost::system::error_code broken;
  auto value = json::parse(answer.body, broken);
  const bool has_list = !broken && value.is_object() && value.as_object().contains("rejected");
  if (!has_list) {
    const std::string why = problem_detail(answer.body);
    if (answer.status == 413 && in_body_.size() == 1) {
      refuse(in_body_[0], "", "too_long", why);
      return {};
    }
    const bool later = answer.status == 429 || answer.status == 503;
    return fail(later ? ErrorKind::overloaded : ErrorKind::io_failed, why);
  }
  const auto rejected = array_of(value.as_object(), "rejected");
  for (const auto& item : rejected) {
    const auto* one = item.if_object();
    const auto* index = one ? one->if_contains("index") : nullptr;
    if (!index || !index->is_int64()) continue;
    const auto at = static_cast<std::size_t>(index->as_int64());
    if (at < in_body_.size())
      refuse(in_body_[at], text_member(*one, "field"), text_member(*one, "reason"),
             text_member(*one, "detail"));
  }
  accepted_ += in_body_.size() - rejected.size();
  return {};
}

Result<void> Redriver::send() {
  if (in_body_.empty()) return {};
  auto answer =
      server_.exchange({.method = http::Method::post,
                        .target = arguments_.redrive.dry_run ? "/v1/dead-letters/redrive?dry_run=1"
                                                             : "/v1/dead-letters/redrive",
                        .content_type = "application/x-ndjson",
                        .body = std::exchange(body_, {})});
  auto done = answer ? read_answer(*answer) : Result<void>(pass(std::move(answer.error())));
  in_body_.clear();
  if (progress_) progress_->update(accepted_ + refused_);
  return done;
}

Result<void> Redriver::add(const json::object& letter) {
  auto line = redrive_line(letter, rules_);
  if (!line) {
    refuse(text_member(letter, "id"), "", "not_an_object", line.error().message);
    return {};
  }
  if (!body_.empty() && body_.size() + line->size() > kRequestSizeMax)
    if (auto sent = send(); !sent) return sent;
  body_ += *line;
  in_body_.push_back(text_member(letter, "id"));
  return {};
}

Result<void> Redriver::send_named() {
  const std::string& with = arguments_.redrive.with;
  io::RealFileSystem files;
  for (const auto& id : arguments_.redrive.letters) {
    const auto letter = ask("/v1/dead-letters/" + http::percent_encode(id));
    if (!letter) return pass(letter.error());
    if (with.empty()) {
      if (auto added = add(*letter); !added) return added;
      continue;
    }
    const auto bytes = io::read_whole_file(files, with, kFileSizeMax);
    if (!bytes) return pass(bytes.error(), "--with");
    body_ += redrive_line(*letter, rules_, *bytes);
    in_body_.push_back(text_member(*letter, "id"));
  }
  return send();
}

// How many wait. A reason that no letter has is a mistake worth telling.
Result<std::int64_t> Redriver::count_waiting() {
  auto list = ask("/v1/dead-letters?limit=0");
  if (!list) return pass(list.error());
  const std::string& wanted = arguments_.reason;
  std::string known;
  std::int64_t count = 0;
  bool found = wanted.empty();
  for (const auto& group : array_of(*list, "groups")) {
    if (!group.is_object()) continue;
    const std::string reason = text_member(group.as_object(), "reason");
    known += (known.empty() ? "" : ", ") + printable(reason);
    found = found || reason == wanted;
    if (wanted.empty() ? reason != kForged : reason == wanted)
      count += number_member(group.as_object(), "count") -
               number_member(group.as_object(), "sent_again");
  }
  if (found) return count;
  return fail(ErrorKind::not_found, "--reason '" + printable(wanted) +
                                        "': no dead letter has it; there are " +
                                        (known.empty() ? "none at all" : "those of " + known));
}

// Sent already; or a click whose link was not signed here, unless these were asked for.
bool Redriver::leave_out(const json::object& letter) {
  const auto* sent = letter.if_contains("sent_again");
  if (sent && !sent->is_null()) return true;
  if (text_member(letter, "reason") != kForged || arguments_.reason == kForged) return false;
  ++forged_left_;
  return true;
}

Result<void> Redriver::send_waiting(const Interrupt& interrupt) {
  const auto count = count_waiting();
  if (!count) return pass(count.error());
  progress_.emplace(
      clock_, arguments_.redrive.dry_run ? "trying" : "sending", "letters",
      static_cast<std::uint64_t>(*count), [&](std::string_view text) { console_.say_piece(text); },
      console_.progress_options());
  std::string after;
  do {
    http::Query query;
    query.add("show", "true");
    query.add("order", "oldest");
    query.add("limit", std::to_string(kLettersPerPage));
    if (!arguments_.reason.empty()) query.add("reason", arguments_.reason);
    if (!after.empty()) query.add("after", after);
    auto page = ask("/v1/dead-letters?" + query.text());
    if (!page) return pass(page.error());
    after = text_member(*page, "next");
    for (const auto& letter : array_of(*page, "dead_letters")) {
      if (!letter.is_object() || leave_out(letter.as_object())) continue;
      if (auto added = add(letter.as_object()); !added) return added;
    }
    if (auto sent = send(); !sent) return sent;
  } while (!after.empty() && !interrupt.requested());
  return {};
}

int Redriver::finish(const Result<void>& result, bool interrupted) {
  progress_.reset();
  const bool dry_run = arguments_.redrive.dry_run;
  const bool began = result || accepted_ + refused_ > 0;
  const std::size_t shown = arguments_.json ? kRefusalsKeptMax : kRefusalsShownMax;
  if (refusals_.size() > shown) refusals_.resize(shown);
  if (began) {
    const json::object totals = {{"dry_run", dry_run},
                                 {"accepted", accepted_},
                                 {"refused", refused_},
                                 {"refusals", refusals_}};
    console_.print(arguments_.json ? json::serialize(totals) + "\n" : show_json(totals));
  }
  if (refused_ > shown)
    console_.say("the first " + with_thousands(static_cast<long long>(shown)) + " of " +
                 with_thousands(static_cast<long long>(refused_)) + " refusals are shown" +
                 (arguments_.json ? "" : "; --json lists up to 1,000"));
  if (forged_left_ > 0)
    console_.say("left out: " + with_thousands(static_cast<long long>(forged_left_)) +
                 " with bad_signature, since their link was not signed by this engine. If you know "
                 "who made them, send them with --reason bad_signature");
  if (result && dry_run)
    console_.say("nothing was kept; the same without --dry-run sends what would be accepted");
  if (!result) {
    const bool again = began && !dry_run;
    return fail_command(
        console_, {result.error().kind,
                   result.error().message +
                       (again ? "; what was accepted is marked, so run the same again" : "")});
  }
  if (interrupted) return kExitInterrupted;
  return refused_ > 0 ? kExitNo : kExitDone;
}

// What the flags cannot say together.
Result<void> check(const Arguments& arguments) {
  const RedriveArguments& a = arguments.redrive;
  const int ways = int{!a.letters.empty()} + int{!arguments.reason.empty()} + int{a.all};
  if (ways != 1)
    return fail(ErrorKind::invalid,
                "which dead letters? Name them by id, or give --reason REASON, or --all: one of "
                "these; `adbrook dead-letters list` shows what there is");
  if (!a.with.empty() && (a.letters.size() != 1 || !a.set.empty()))
    return fail(ErrorKind::invalid,
                "--with stands for the bytes of one dead letter: name one id, and no --set");
  return {};
}

}  // namespace

int run_dead_letters_redrive(const Arguments& arguments, Console& console) {
  if (const auto good = check(arguments); !good) return fail_command(console, good.error());
  auto changes = parse_changes(arguments.redrive.set);
  if (!changes) return fail_command(console, changes.error());
  io::ThreadExecutor executor(1);
  const Interrupt interrupt(executor);
  auto server = ServerConnection::open(executor, arguments.server);
  if (!server) return fail_command(console, server.error());
  const std::string& as = arguments.redrive.as;
  Redriver redriver(arguments, {as == "came" ? "" : as, std::move(*changes)}, *server, console);
  const auto done =
      arguments.redrive.letters.empty() ? redriver.send_waiting(interrupt) : redriver.send_named();
  return redriver.finish(done, interrupt.requested());
}

}  // namespace adbrook::app
