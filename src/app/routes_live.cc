#include "app/routes_live.h"

namespace adbrook::app {

void add_live_route(http::Router& router, LiveFeed& feed) {
  router.add(http::Method::get, "/v1/live",
             [&feed](const http::Request& request, http::Responder responder) {
               responder.send(feed.open(request));
             });
}

}  // namespace adbrook::app
