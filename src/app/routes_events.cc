#include "app/routes_events.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "ads/cell_events.h"
#include "ads/dead_letter_list.h"
#include "ads/event_life.h"
#include "app/letter_json.h"
#include "app/query_parameters.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

using http::Method;
using http::Request;
using http::Responder;

template <class T>
ads::Answer<T> as_json(Responder responder, std::string (*write)(const T&) = ads::to_json) {
  return [write, responder = std::move(responder)](Result<T> result) mutable {
    responder.send(result ? http::json_response(write(*result))
                          : http::problem_response(result.error()));
  };
}

// The path's {uuid}; nothing, and the request answered, when it is none.
std::optional<Uuid> id_of(const Request& request, Responder& responder) {
  const auto text = request.parameter("uuid");
  const auto id = Uuid::parse(text);
  if (!id)
    responder.send(http::problem_response(
        Error{ErrorKind::invalid, request.path + ": '" + printable(text) +
                                      "' is no id; it has 36 characters or 32 hex digits"},
        "uuid"));
  return id;
}

// The events behind one report cell.
void answer_cell(ads::EventSearch& search, const Request& request, Responder responder) {
  constexpr std::array<std::string_view, 2> kParameters = {"cell", "limit"};
  const auto query = read_query(request, kParameters);
  if (!query) return responder.send(http::problem_response(query.error()));
  auto asked = ads::parse_cell(query->value_or("cell", ""), query->value_or("limit", ""));
  if (!asked) return responder.send(http::problem_response(asked.error(), "cell"));
  ads::cell_events(search, std::move(*asked), as_json<ads::CellEvents>(std::move(responder)));
}

void answer_letters(ads::EventSearch& search, const Request& request, Responder responder) {
  constexpr std::array<std::string_view, 6> kParameters = {"reason", "order", "skip",
                                                           "limit",  "after", "show"};
  const auto query = read_query(request, kParameters);
  if (!query) return responder.send(http::problem_response(query.error()));
  const auto text = [&](std::string_view name) { return std::string(query->value_or(name, "")); };
  auto asked = ads::parse_dead_letter_query({.reason = text("reason"),
                                             .order = text("order"),
                                             .skip = text("skip"),
                                             .limit = text("limit"),
                                             .after = text("after")});
  if (!asked) return responder.send(http::problem_response(asked.error()));
  if (text("show") != "true")
    return ads::dead_letter_list(search, std::move(*asked),
                                 as_json<ads::DeadLetterList>(std::move(responder)));
  ads::dead_letter_bytes(search, std::move(*asked),
                         as_json<ads::DeadLettersWithBytes>(std::move(responder), letters_json));
}

}  // namespace

void add_event_routes(http::Router& router, ads::EventSearch& search) {
  router.add(Method::get, "/v1/events",
             [&search](const Request& q, Responder r) { answer_cell(search, q, std::move(r)); });
  router.add(Method::get, "/v1/events/{uuid}", [&search](const Request& q, Responder r) {
    if (const auto id = id_of(q, r))
      ads::event_life(search, *id, as_json<ads::EventLife>(std::move(r)));
  });
  router.add(Method::get, "/v1/dead-letters",
             [&search](const Request& q, Responder r) { answer_letters(search, q, std::move(r)); });
  router.add(Method::get, "/v1/dead-letters/{uuid}", [&search](const Request& q, Responder r) {
    if (const auto id = id_of(q, r))
      ads::dead_letter(search, *id, as_json<ads::DeadLetterWithBytes>(std::move(r), letter_json));
  });
}

}  // namespace adbrook::app
