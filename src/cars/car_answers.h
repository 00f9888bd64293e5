// What people ask about cars: which alerts are raised, what each route used. Gathered from all
// tasks by message, so that every row is committed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cars/alerts.h"
#include "cars/efficiency.h"
#include "stream/task_runner.h"

namespace adbrook::cars {

// How fresh an answer is: the task that is furthest behind decides.
struct Freshness {
  Timestamp committed_at = Timestamp::highest();
  Timestamp watermark = Timestamp::highest();
};

struct RaisedAlert {
  std::string car;
  AlertKind kind;
  Timestamp since;
};

struct RouteRow {
  std::string car, route;
  RouteTotals totals;
};

template <class Row>
struct Rows {
  Freshness freshness;
  std::vector<Row> rows;  // one for each car and kind or route, in that order
};
template <class T>
using Answer = std::move_only_function<void(Result<T>)>;

// Both answer on an executor thread, or at once when a task cannot be asked (overloaded: it is
// restoring its state or has stopped). The runner outlives the answer.
void ask_for_alerts(stream::TaskRunner& tasks, Answer<Rows<RaisedAlert>> answer);
void ask_for_routes(stream::TaskRunner& tasks, Answer<Rows<RouteRow>> answer);

// The totals of one task. An error when its store could not be read.
Result<std::vector<RouteRow>> routes_of(const stream::TaskView& task);
void add_freshness(Freshness& all, const stream::TaskView& task);
// Why a task does not answer.
Error no_answer(std::int32_t task);

}  // namespace adbrook::cars
