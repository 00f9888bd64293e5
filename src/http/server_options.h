// What can be set about the HTTP server.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "base/settings.h"

namespace adbrook::http {

struct ServerOptions {
  std::string listen = "127.0.0.1:8080";
  Bytes request_line_max = 20_KiB;
  Bytes head_max = 40_KiB;
  Bytes body_max = 16_MiB;
  Bytes bodies_max = 512_MiB;
  Millis header_timeout{10'000};
  Millis idle_timeout{60'000};
  Millis write_timeout{30'000};
  std::int64_t connections_max = 4096;
  std::vector<std::string> cors_origins;

  template <class O = ServerOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, std::string>{"listen", &O::listen, std::nullopt, std::nullopt,
                                "HOST:PORT to serve HTTP on; port 0 takes any free one."},
        Setting<O, Bytes>{"request.line.max.bytes", &O::request_line_max, 1_KiB, 64_KiB,
                          "Longest request line; a longer one lets a pixel carry more."},
        Setting<O, Bytes>{"head.max.bytes", &O::head_max, 2_KiB, 128_KiB,
                          "Request line and header fields together; each connection may cost it."},
        Setting<O, Bytes>{"body.max.bytes", &O::body_max, 1_KiB, 256_MiB,
                          "Largest body, before and after inflating; each request may cost it."},
        Setting<O, Bytes>{
            "bodies.max.bytes", &O::bodies_max, 16_MiB, Bytes{std::int64_t{1} << 40},
            "All bodies that are being received or handled; above it senders get 503."},
        Setting<O, Millis>{"header.timeout.ms", &O::header_timeout, Millis(10), Millis(600'000),
                           "How long a request's head may take; longer lets slow senders hold on."},
        Setting<O, Millis>{"idle.timeout.ms", &O::idle_timeout, Millis(10), Millis(3'600'000),
                           "How long a connection may stay open between two requests."},
        Setting<O, Millis>{"write.timeout.ms", &O::write_timeout, Millis(10), Millis(600'000),
                           "How long a client may take to accept one piece of an answer."},
        Setting<O, std::int64_t>{"connections.max", &O::connections_max, 1, 1'000'000,
                                 "Open connections; each costs up to 16 KiB while it is idle."},
        Setting<O, std::vector<std::string>>{
            "cors.origins", &O::cors_origins, std::nullopt, std::nullopt,
            "Origins whose pages may send events from a browser; * means all."},
    };
  }
};

}  // namespace adbrook::http
