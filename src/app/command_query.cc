// The commands that ask a running engine and print its answer.
#include <boost/json.hpp>

#include "app/commands.h"
#include "app/json_view.h"
#include "app/server_connection.h"
#include "base/text.h"
#include "http/query.h"

namespace adbrook::app {
namespace {

// The answer to GET `target` of the engine at --server.
Result<std::string> ask_server(const Arguments& arguments, const std::string& target) {
  io::ThreadExecutor executor(1);
  auto server = ServerConnection::open(executor, arguments.server);
  if (!server) return pass(std::move(server.error()), "--server");
  return server->get(target);
}

Result<boost::json::value> parse_answer(std::string_view body) {
  boost::system::error_code broken;
  auto value = boost::json::parse(body, broken);
  if (broken)
    return fail(ErrorKind::io_failed, "the answer is no JSON: " + printable(body, 200) +
                                          "; is an adbrook engine behind --server?");
  return value;
}

void add_if_given(http::Query& query, const char* name, const std::string& value) {
  if (!value.empty()) query.add(name, value);
}

http::Query report_query(const Arguments& arguments) {
  http::Query query;
  add_if_given(query, "by", arguments.report.by);
  add_if_given(query, "from", arguments.report.from);
  add_if_given(query, "to", arguments.report.to);
  add_if_given(query, "bucket", arguments.report.bucket);
  for (const auto& where : arguments.report.where) query.add("where", where);
  add_if_given(query, "sort", arguments.report.sort);
  add_if_given(query, "limit", arguments.report.limit);
  add_if_given(query, "wait", arguments.wait);
  query.add("format", arguments.format == "csv" ? "csv" : "json");
  return query;
}

std::string report_as_text(const boost::json::value& answer) {
  const auto* object = answer.if_object();
  const auto* rows = object ? object->if_contains("rows") : nullptr;
  if (!rows || !rows->is_array()) return show_json(answer);
  std::string out = rows->as_array().empty()
                        ? "no rows\n"
                        : print_table(table_of(rows->as_array()), TableFormat::table);
  out += "\n";
  for (const auto& [name, member] : *object)
    if (!member.is_structured())
      out += std::string(name) + "  " + printable(cell_of(member)) + "\n";
  return out;
}

// Prints the answer as JSON or for people; `holds` tells whether it is a yes.
int print_answer(const Arguments& arguments, Console& console, const std::string& target,
                 bool (*holds)(const boost::json::value&)) {
  const auto body = ask_server(arguments, target);
  if (!body) return fail_command(console, body.error());
  const auto value = parse_answer(*body);
  if (!value) return fail_command(console, value.error());
  console.print(arguments.format == "json" ? *body + (body->ends_with('\n') ? "" : "\n")
                                           : show_json(*value));
  return holds(*value) ? kExitDone : kExitNo;
}

// The rows without what does not fit into a cell.
boost::json::array plain_members(const boost::json::array& rows) {
  boost::json::array plain;
  for (const auto& row : rows) {
    if (!row.is_object()) continue;
    boost::json::object kept;
    for (const auto& [name, member] : row.as_object())
      if (!member.is_structured()) kept.emplace(name, member);
    plain.emplace_back(std::move(kept));
  }
  return plain;
}

bool always(const boost::json::value&) { return true; }

}  // namespace

int run_report(const Arguments& arguments, Console& console) {
  const auto body =
      ask_server(arguments, "/v1/reports/click-through?" + report_query(arguments).text());
  if (!body) return fail_command(console, body.error());
  if (arguments.format != "table") {
    console.print(*body + (body->ends_with('\n') ? "" : "\n"));
    return kExitDone;
  }
  const auto value = parse_answer(*body);
  if (!value) return fail_command(console, value.error());
  console.print(report_as_text(*value));
  return kExitDone;
}

int run_event(const Arguments& arguments, Console& console) {
  return print_answer(arguments, console, "/v1/events/" + http::percent_encode(arguments.event_id),
                      always);
}

int run_dead_letters_list(const Arguments& arguments, Console& console) {
  const auto body = ask_server(arguments, "/v1/dead-letters");
  if (!body) return fail_command(console, body.error());
  const auto value = parse_answer(*body);
  if (!value) return fail_command(console, value.error());
  const auto* object = value->if_object();
  const auto* groups = object ? object->if_contains("groups") : nullptr;
  if (!groups || !groups->is_array())
    console.print(show_json(*value));
  else
    console.print(print_table(table_of(plain_members(groups->as_array())),
                              parse_table_format(arguments.format)));
  return kExitDone;
}

int run_dead_letters_show(const Arguments& arguments, Console& console) {
  http::Query query;
  add_if_given(query, "reason", arguments.reason);
  query.add("limit", std::to_string(arguments.limit));
  query.add("show", "true");
  return print_answer(arguments, console, "/v1/dead-letters?" + query.text(), always);
}

}  // namespace adbrook::app
