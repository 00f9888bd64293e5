// What an HTTP request and an answer are to the rest of the program: plain values, no sockets.
// The wire form is RFC 9112; reading it is request_parser.h, writing it is response_writer.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace adbrook::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, other };

std::string_view to_string(Method method);

bool equal_without_case(std::string_view a, std::string_view b);

// The header fields of one message, in the order in which they came; names compare without case.
// All text lies in one string, so a request costs two allocations, not two per field.
class Fields {
 public:
  void add(std::string_view name, std::string_view value);
  // The first value, or empty when there is none.
  std::string_view find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return places_.size(); }
  void clear();

 private:
  struct Place {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string_view name(Place place) const { return view(place.begin, place.name_size); }
  std::string_view value(Place place) const {
    return view(place.begin + place.name_size, place.value_size);
  }
  std::string_view view(std::size_t begin, std::size_t size) const {
    return std::string_view(text_).substr(begin, size);
  }

  std::string text_;
  std::vector<Place> places_;
};

struct PathParameter {
  std::string name;
  std::string value;  // percent-decoded
};

struct Request {
  Method method = Method::get;
  std::string path;   // as sent, starts with '/'; still percent-encoded
  std::string query;  // as sent, behind the first '?'
  Fields fields;
  std::string body;  // whole and already inflated
  std::vector<PathParameter> parameters;
  std::string peer;  // address of the other side, "127.0.0.1:40000"
  bool keep_alive = true;
  bool http_1_0 = false;  // knows no chunks

  // Empty when the route's pattern has no such parameter.
  std::string_view parameter(std::string_view name) const;
};

// Gives the next piece of a long body; an empty piece ends it. It is asked only after the piece
// before was handed to the kernel, so a slow reader costs one piece of memory. An error cuts the
// connection, so that nobody takes half an answer for a whole one.
using BodyPieces = std::move_only_function<Result<std::string>()>;

// Takes the next piece, once, from any thread; an empty one ends the body, an error cuts the
// connection. Called after the client is gone, it does nothing.
using PieceReady = std::move_only_function<void(Result<std::string>)>;

// Gives the next piece of a body that grows while it is sent, now or when there is one. It is asked
// only after the piece before was handed to the kernel, so what a slow reader costs is up to the
// giver alone. Destroyed when the client goes.
using LivePieces = std::move_only_function<void(PieceReady)>;

struct Response {
  int status = 200;
  std::string content_type;  // no such field when empty
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // further ones
  BodyPieces pieces;                                        // when set, sent chunked after `body`
  LivePieces live;                                          // the same, piece by piece as they come
};

std::string_view reason_phrase(int status);

// 200 with a JSON text, which gets the newline at its end that it may lack.
Response json_response(std::string body);

}  // namespace adbrook::http
