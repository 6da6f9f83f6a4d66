// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "table.hpp"
#include <ringlet/testing/everywhere.hpp>

#include <string>
#include <vector>

namespace {

namespace testing = ringlet::testing;
using ringlet_tests::awaitable_row;

std::vector<awaitable_row> all_rows() {
    std::vector<awaitable_row> all;
    for (const auto rows :
         {ringlet_tests::core_rows(), ringlet_tests::time_rows(), ringlet_tests::sync_rows(),
          ringlet_tests::operation_rows(), ringlet_tests::io_rows(), ringlet_tests::net_rows(),
          ringlet_tests::fs_rows(), ringlet_tests::os_rows(), ringlet_tests::http_rows(), ringlet_tests::tls_rows()})
        all.insert(all.end(), rows.begin(), rows.end());
    return all;
}

}  // namespace

TEST_CASE("every awaitable survives being cancelled at every point", "[sim][cancel]") {
    for (const awaitable_row& row : all_rows()) {
        DYNAMIC_SECTION(row.name) {
            const auto report = testing::cancel_everywhere(row.scenario);
            INFO(report.to_string());
            CHECK(report.points > 0);
            CHECK(report.cancelled > 0);
        }
    }
}

TEST_CASE("every awaitable survives the failure of every operation and allocation", "[sim][fail]") {
    for (const awaitable_row& row : all_rows()) {
        DYNAMIC_SECTION(row.name) {
            const auto report = testing::fail_everywhere(row.scenario);
            INFO(report.to_string());
            CHECK(report.points > 0);
            CHECK(report.failed > 0);
        }
    }
}
