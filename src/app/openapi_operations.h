// The list of all HTTP operations with their parameters, as openapi.cc prints it.
#pragma once

#include <string_view>
#include <vector>

namespace adbrook::app {

struct Parameter {
  std::string_view name;
  std::string_view about;
  bool required = false;
};

struct Operation {
  std::string_view path;
  std::string_view method;
  std::string_view about;
  std::vector<Parameter> query = {};
  std::string_view body = {};    // name of the body's schema; empty: none
  std::string_view answer = {};  // media type of the good answer
  std::string_view status = "200";
};

std::vector<Operation> operations();

}  // namespace adbrook::app
