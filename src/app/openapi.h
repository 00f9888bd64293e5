// The OpenAPI 3.1 description of every route, served at /openapi.json. A test holds it against the
// router, so that no route is forgotten.
#pragma once

#include <string>

#include "http/router.h"

namespace adbrook::app {

std::string openapi_document();
void add_openapi_route(http::Router& router);

}  // namespace adbrook::app
