#include "http/router.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "http/query.h"

namespace adbrook::http {
namespace {

// "/v1/events" as {"v1", "events"}; "/" as {""}, so that a slash at the end makes another path.
std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view part) { return part.starts_with('{') && part.ends_with('}'); }

bool fits(const Router::Route& route, const std::vector<std::string_view>& parts) {
  return std::ranges::equal(route.parts, parts, [](const auto& pattern, std::string_view part) {
    return is_parameter(pattern) ? !part.empty() : pattern == part;
  });
}

// "application/json; charset=utf-8" as "application/json".
std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

bool answers(const Router::Route& route, Method method) {
  return route.method == method || (route.method == Method::get && method == Method::head);
}

std::unique_ptr<Response> problem(int status, std::string detail, std::string field = {}) {
  return std::make_unique<Response>(problem_response(Problem{
      .status = status, .title = {}, .detail = std::move(detail), .field = std::move(field)}));
}

// Null when the body's type is one that the route takes, or was not said.
std::unique_ptr<Response> wrong_type(const Router::Route& route, const Request& request) {
  const std::string_view type = media_type(request.fields.find("Content-Type"));
  if (route.options.content_types.empty() || type.empty()) return nullptr;
  std::string known;
  for (const std::string& one : route.options.content_types) {
    if (equal_without_case(one, type)) return nullptr;
    known += (known.empty() ? "" : ", ") + one;
  }
  return problem(415,
                 route.pattern + ": Content-Type '" + printable(type) +
                     "' is not understood; send one of " + known,
                 "Content-Type");
}

// Null on success.
std::unique_ptr<Response> set_parameters(const Router::Route& route,
                                         const std::vector<std::string_view>& parts,
                                         Request& request) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view pattern = route.parts[i];
    if (!is_parameter(pattern)) continue;
    auto value = percent_decode(parts[i], PlusSign::is_plus);
    const std::string name(pattern.substr(1, pattern.size() - 2));
    if (!value) return problem(400, value.error().message, name);
    request.parameters.push_back({name, std::move(*value)});
  }
  return nullptr;
}

// OPTIONS is answered for every known path; any other method that is not offered is a 405.
Response other_method(const Request& request, const std::vector<const Router::Route*>& known) {
  std::string allow = "OPTIONS";
  for (const Router::Route* route : known) {
    allow += ", " + std::string(to_string(route->method));
    if (route->method == Method::get) allow += ", HEAD";
  }
  Response response;
  response.status = 204;
  if (request.method != Method::options)
    response = problem_response(Problem{
        .status = 405,
        .title = {},
        .detail = printable(request.path) + ": this method is not offered here; use " + allow});
  response.fields.emplace_back("Allow", allow);
  return response;
}

}  // namespace

void RouteMetrics::count(int status, double duration) const {
  by_status_class[static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 2)]->add();
  seconds->observe(duration);
}

RouteMetrics Router::metrics_for(Method method, std::string_view pattern) {
  RouteMetrics counts{};
  const std::string route(pattern);
  const std::string name(to_string(method));
  for (std::size_t i = 0; i < counts.by_status_class.size(); ++i)
    counts.by_status_class[i] = &metrics_.counter(
        "adbrook_http_requests_total", "HTTP requests answered, by route and class of status.",
        {{"route", route}, {"method", name}, {"status", std::to_string(i + 2) + "xx"}});
  counts.seconds = &metrics_.histogram(
      "adbrook_http_request_seconds", "From the end of a request to its answer being handed on.",
      Histogram::duration_bounds(), {{"route", route}, {"method", name}});
  return counts;
}

void Router::add(Method method, std::string_view pattern, Handler handler, RouteOptions options) {
  ADBROOK_ASSERT(pattern.starts_with('/'), "a route's pattern is a path");
  auto route = std::make_unique<Route>();
  route->method = method;
  route->pattern = pattern;
  for (const std::string_view part : split_path(pattern)) route->parts.emplace_back(part);
  route->handler = std::move(handler);
  route->options = std::move(options);
  route->counts = metrics_for(method, pattern);
  routes_.push_back(std::move(route));
}

Router::Match Router::match(Request& request) const {
  if (request.path == "*") return {nullptr, std::make_unique<Response>(Response{.status = 204})};
  const auto parts = split_path(request.path);
  std::vector<const Route*> known;
  for (const auto& route : routes_) {
    if (!fits(*route, parts)) continue;
    if (!answers(*route, request.method)) {
      known.push_back(route.get());
      continue;
    }
    auto answer = wrong_type(*route, request);
    if (!answer) answer = set_parameters(*route, parts, request);
    return {route.get(), std::move(answer)};
  }
  if (!known.empty())
    return {known.front(), std::make_unique<Response>(other_method(request, known))};
  return {nullptr, problem(404, "no such path here: '" + printable(request.path) +
                                    "'; /openapi.json lists those there are")};
}

}  // namespace adbrook::http
