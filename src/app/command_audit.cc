// `audit`: the conservation check, and the comparison with a generator's truth.
#include <boost/json.hpp>

#include "ads/truth_file.h"
#include "app/cell_lines.h"
#include "app/commands.h"
#include "app/json_view.h"
#include "app/server_connection.h"
#include "base/text.h"
#include "http/query.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

struct AuditAnswer {
  std::string body;
  boost::json::object fields;

  bool flag(std::string_view name) const {
    const auto* value = fields.if_contains(name);
    return value && value->is_bool() && value->as_bool();
  }
  const boost::json::array* list(std::string_view name) const {
    const auto* value = fields.if_contains(name);
    return value ? value->if_array() : nullptr;
  }
};

Result<AuditAnswer> ask_audit(ServerConnection& server, const std::string& wait) {
  auto body = server.get("/v1/audit?wait=" + http::percent_encode(wait));
  if (!body) return pass(std::move(body.error()));
  boost::system::error_code broken;
  auto value = boost::json::parse(*body, broken);
  if (broken || !value.is_object())
    return fail(ErrorKind::io_failed, "the answer is no audit: " + printable(*body) +
                                          "; is an adbrook engine behind --server?");
  return AuditAnswer{std::move(*body), std::move(value.as_object())};
}

std::uint64_t count_member(const boost::json::object& row, std::string_view name) {
  return static_cast<std::uint64_t>(number_member(row, name));
}

// What the engine has counted, in the shape of a truth.
Result<ads::Truth> actual_truth(ServerConnection& server, const AuditAnswer& audit) {
  ads::Truth truth;
  if (const auto* outcomes = audit.list("outcomes"))
    for (const auto& row : *outcomes) {
      if (!row.is_object()) continue;
      const auto& o = row.as_object();
      truth.outcomes()[{text_member(o, "topic"), text_member(o, "outcome"),
                        text_member(o, "reason")}] += count_member(o, "count");
    }
  if (const auto* partitions = audit.list("partitions"))
    for (const auto& row : *partitions) {
      if (!row.is_object()) continue;
      const auto& p = row.as_object();
      if (const auto pending = count_member(p, "pending"); pending > 0)
        truth.outcomes()[{text_member(p, "topic"), "pending", ""}] += pending;
    }
  for (std::size_t view = 0; view < ads::kViewCount; ++view) {
    const auto body = server.get("/v1/cells?view=" + std::string(ads::kViews[view].name));
    if (!body) return pass(body.error());
    if (auto added = add_cell_lines(*body, view, truth); !added) return pass(added.error());
  }
  return truth;
}

int print_comparison(const ads::TruthComparison& comparison, Console& console) {
  for (const auto& difference : comparison.differences) console.print(difference + "\n");
  const auto count = [](std::uint64_t n) { return with_thousands(static_cast<long long>(n)); };
  if (comparison.equal()) {
    console.print("equal to the truth: " + count(comparison.cell_count) + " cells and " +
                  count(comparison.outcome_count) + " outcomes\n");
    return kExitDone;
  }
  console.print("not equal to the truth: " + count(comparison.difference_count) +
                " differences in " + count(comparison.cell_count) + " cells and " +
                count(comparison.outcome_count) + " outcomes\n");
  return kExitNo;
}

int compare_with_truth(const Arguments& arguments, ServerConnection& server,
                       const AuditAnswer& audit, Console& console) {
  io::RealFileSystem files;
  const auto expected = ads::read_truth(files, arguments.against_truth);
  if (!expected) return fail_command(console, expected.error());
  const auto actual = actual_truth(server, audit);
  if (!actual) return fail_command(console, actual.error());
  return print_comparison(ads::compare(*expected, *actual), console);
}

}  // namespace

int run_audit(const Arguments& arguments, Console& console) {
  io::ThreadExecutor executor(1);
  auto server = ServerConnection::open(executor, arguments.server);
  if (!server) return fail_command(console, server.error());
  const auto audit = ask_audit(*server, arguments.wait);
  if (!audit) return fail_command(console, audit.error());
  if (!audit->flag("caught_up"))
    console.say("the engine is behind by " + text_member(audit->fields, "behind") +
                " records; --wait gives it more time");
  if (!arguments.against_truth.empty() && audit->flag("holds"))
    return compare_with_truth(arguments, *server, *audit, console);
  console.print(arguments.json ? audit->body + "\n" : show_json(audit->fields));
  return audit->flag("holds") ? kExitDone : kExitNo;
}

}  // namespace adbrook::app
