// SPDX-License-Identifier: MIT
#pragma once

#include "compare/downloads/session.hpp"

/// One downloader, three ways to wait. Each fetches all files of a session; what fails is said there. What they send, and
/// make of what comes, is in download.hpp, the same for all.
namespace comparison {

void fetch_sequential(download_session& all);
void fetch_thread(download_session& all);
void fetch_coroutine(download_session& all);

/// One file by calls that wait, of the first two.
void fetch_waiting(const wanted_file& what, download_session& all);

}  // namespace comparison
