// SPDX-License-Identifier: MIT
#pragma once

namespace apps {

/// This program is built with AddressSanitizer or ThreadSanitizer.
inline constexpr bool under_sanitizer =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

}  // namespace apps
