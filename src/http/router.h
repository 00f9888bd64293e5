// Which handler answers which method and path, and how often each was asked.
// A pattern is a path whose parts may be parameters: "/v1/events/{uuid}".
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "http/message.h"
#include "http/problem.h"
#include "http/responder.h"

namespace adbrook::http {

// Called on an executor thread, for several requests at once; must not block for long. The answer
// may come later, from any thread, through the responder.
using Handler = std::function<void(Request, Responder)>;

enum class CrossOrigin { same_site_only, listed_origins };

struct RouteOptions {
  // Media types that a body may have, without parameters; empty: the route reads no body.
  std::vector<std::string> content_types = {};
  // Whether pages of the listed origins may call it from a browser.
  CrossOrigin cross_origin = CrossOrigin::same_site_only;
};

// What one route was asked; labels are its pattern and the status class, both bounded.
struct RouteMetrics {
  std::array<Counter*, 4> by_status_class;  // 2xx to 5xx
  Histogram* seconds;

  void count(int status, double duration) const;
};

// Immutable once the server runs, and then thread-safe.
class Router {
 public:
  explicit Router(Metrics& metrics) : metrics_(metrics) {}

  // `pattern` starts with '/'. A GET route also answers HEAD: the handler sees Method::head and
  // gives the same answer, of which the body is not sent.
  void add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {});

  struct Route {
    Method method;
    std::string pattern;
    std::vector<std::string> parts;  // a parameter keeps its braces
    Handler handler;
    RouteOptions options;
    RouteMetrics counts;
  };

  // The route for this request, its path parameters set; or what to answer instead: 404, 405 with
  // Allow, 415, 400 for a broken escape, 204 with Allow for OPTIONS.
  struct Match {
    const Route* route = nullptr;  // also set with `answer` when the path is known
    std::unique_ptr<Response> answer;
  };
  Match match(Request& request) const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

  // Asked when no route fits, so that a scan of random paths makes one label, not thousands.
  const RouteMetrics& unmatched() const { return unmatched_; }

 private:
  RouteMetrics metrics_for(Method method, std::string_view pattern);

  Metrics& metrics_;
  std::vector<std::unique_ptr<Route>> routes_;
  RouteMetrics unmatched_ = metrics_for(Method::other, "unmatched");
};

}  // namespace adbrook::http
