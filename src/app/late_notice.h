// Why events of an import were late, as a sentence: which watermark was in the way, since when, and
// what to do. Made from two answers of /v1/outcomes.
#pragma once

#include <string>

namespace boost::json {
class value;
}

namespace adbrook::app {

// `before` and `after` are the answers when the import began and when all of it was committed.
// Empty when no event became late in between.
std::string late_notice(const boost::json::value& before, const boost::json::value& after);

}  // namespace adbrook::app
