// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <typeinfo>

#include <cxxabi.h>

namespace ringlet::detail {
namespace {

class cancel_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "ringlet"; }
    std::string message(int) const override { return "cancelled"; }
};

}  // namespace

std::error_code cancelled_code() noexcept {
    static const cancel_category category;
    return {1, category};
}

bool is_cancelled(const std::exception_ptr& error) noexcept {
    return error && *error.__cxa_exception_type() == typeid(cancelled);
}

std::string describe(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (const cancelled&) {
        return "cancelled";
    } catch (...) {
        return std::string{"exception of type "} + error.__cxa_exception_type()->name();
    }
}

void programmer_error(std::string_view text, std::source_location where) noexcept {
    std::fprintf(stderr, "ringlet: programmer error: %.*s\n  noticed at %s:%u\n", static_cast<int>(text.size()),
                 text.data(), where.file_name(), static_cast<unsigned>(where.line()));
    std::abort();
}

}  // namespace ringlet::detail
