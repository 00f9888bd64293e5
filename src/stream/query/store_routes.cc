#include "stream/query/store_routes.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/text.h"
#include "http/query.h"
#include "stream/query/store_show.h"

namespace adbrook::stream {
namespace {

using http::Request;
using http::Responder;
using serde::JsonWriter;

constexpr std::size_t kLimitMax = 10'000;

// One question under way, task after task; owned by the task's question that comes next.
struct Asking {
  TaskRunner& tasks;
  std::string store;  // empty: which stores there are
  StoreQuery query;
  Responder responder;
  std::string rows, partitions;  // JSON, without the brackets around
  std::string kind;
  bool more = false;
};

void write_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time == Timestamp::lowest())
    json.null();
  else
    json.string(format_time(time));
}

void add_partition(std::string& to, const TaskView& task) {
  if (!to.empty()) to += ',';
  JsonWriter json(to);
  json.begin_object();
  json.field("partition", static_cast<std::int64_t>(task.partition()));
  json.key("commit"), json.unsigned_integer(task.commit_number());
  write_time(json, "committed_at", task.committed_at());
  write_time(json, "watermark", task.watermark());
  json.end_object();
}

// What the stores are is the same in every task, how many rows they hold is not.
void list_stores(Asking& asking, const TaskView& task) {
  for (const auto& [name, show] : task.shown_stores()) {
    if (!asking.rows.empty()) asking.rows += ',';
    JsonWriter json(asking.rows);
    json.begin_object();
    json.field("store", name);
    json.field("kind", show->kind());
    json.field("partition", static_cast<std::int64_t>(task.partition()));
    json.key("rows"), json.unsigned_integer(show->count());
    json.end_object();
  }
}

Result<void> add_rows(Asking& asking, const TaskView& task) {
  const StoreShow* show = task.shown_store(asking.store);
  if (show == nullptr)
    return fail(ErrorKind::not_found, "store: there is no '" + printable(asking.store, 100) +
                                          "' to be read; /v1/stores lists those there are");
  asking.kind = show->kind();
  std::string rows;
  JsonWriter json(rows);
  ShownRows shown(json, task.partition(), asking.query.limit);
  if (auto done = show->rows(asking.query, shown); !done) return done;
  asking.query.limit = shown.left();
  asking.more |= shown.more();
  if (!rows.empty() && !asking.rows.empty()) asking.rows += ',';
  asking.rows += rows;
  return {};
}

void answer(Asking& asking) {
  http::Response response{.content_type = "application/json"};
  JsonWriter json(response.body);
  json.begin_object();
  if (!asking.store.empty()) {
    json.field("store", asking.store);
    json.field("kind", asking.kind);
  }
  json.key(asking.store.empty() ? "stores" : "rows");
  json.raw("[" + asking.rows + "]");
  if (!asking.store.empty()) json.field("more", asking.more);
  json.key("partitions");
  json.raw("[" + asking.partitions + "]");
  json.end_object();
  response.body += '\n';
  asking.responder.send(std::move(response));
}

void ask_next(const std::shared_ptr<Asking>& asking, std::int32_t task) {
  if (task == asking->tasks.task_count()) return answer(*asking);
  const bool asked = asking->tasks.ask(task, [asking, task](const TaskView& view) {
    add_partition(asking->partitions, view);
    if (asking->store.empty())
      list_stores(*asking, view);
    else if (auto added = add_rows(*asking, view); !added)
      return asking->responder.send(http::problem_response(added.error()));
    ask_next(asking, task + 1);
  });
  if (asked) return;
  asking->responder.send(http::problem_response(
      {ErrorKind::overloaded, "task " + std::to_string(task) +
                                  " does not answer: it is restoring its state or has stopped; ask "
                                  "again when /readyz says that it is ready"}));
}

Result<void> read_parameter(const http::QueryParameter& parameter, StoreQuery& to) {
  const auto& [name, value] = parameter;
  if (name == "key") {
    to.key = value;
    return {};
  }
  if (name == "from" || name == "to") {
    const auto time = parse_time(value);
    if (!time) return pass(time.error(), name);
    (name == "from" ? to.from : to.to) = *time;
    return {};
  }
  if (name == "limit") {
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, to.limit);
    if (error == std::errc() && at == end && to.limit <= kLimitMax) return {};
    return fail(ErrorKind::invalid, "limit: '" + printable(value, 100) +
                                        "' is not a number from 0 to " + std::to_string(kLimitMax));
  }
  return fail(ErrorKind::invalid,
              "'" + printable(name, 100) + "' is no parameter; there are key, from, to and limit");
}

Result<StoreQuery> read_query(const Request& request) {
  const auto parsed = http::Query::parse(request.query);
  if (!parsed) return pass(parsed.error());
  StoreQuery query;
  for (const auto& parameter : parsed->parameters())
    if (auto read = read_parameter(parameter, query); !read) return pass(read.error());
  return query;
}

}  // namespace

void add_store_routes(http::Router& router, TaskRunner& tasks) {
  router.add(http::Method::get, "/v1/stores", [&tasks](const Request&, Responder responder) {
    ask_next(std::make_shared<Asking>(Asking{tasks, {}, {}, std::move(responder), {}, {}, {}}), 0);
  });
  router.add(http::Method::get, "/v1/stores/{store}",
             [&tasks](const Request& request, Responder responder) {
               auto query = read_query(request);
               if (!query) return responder.send(http::problem_response(query.error()));
               ask_next(std::make_shared<Asking>(Asking{tasks,
                                                        std::string(request.parameter("store")),
                                                        std::move(*query),
                                                        std::move(responder),
                                                        {},
                                                        {},
                                                        {}}),
                        0);
             });
}

}  // namespace adbrook::stream
