#!/usr/bin/env python3
"""Clean an ECR registry the way most scripts do, to measure against.

One call at a time, pages of 1,000: list the repositories, describe the images
of each, keep the newest KEEP of any, expire untagged images after DAYS days.
With --apply, delete in batches of 100, by digest, without looking again.
Prints what it did as JSON; "start" is the time until the first call.
"""

import time

begin = time.perf_counter()

import argparse
import datetime
import json

import boto3


def repositories(ecr):
    for page in ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000}):
        for repository in page["repositories"]:
            yield repository["repositoryName"]


def images(ecr, repository):
    found = []
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=repository, PaginationConfig={"PageSize": 1000})
    for page in pages:
        found.extend(page["imageDetails"])
    return found


def expired(found, days, keep, now):
    limit = now - datetime.timedelta(days=days)
    newest_first = sorted(found, key=lambda image: image["imagePushedAt"], reverse=True)
    return [
        image["imageDigest"]
        for rank, image in enumerate(newest_first)
        if rank >= keep or ("imageTags" not in image and image["imagePushedAt"] < limit)
    ]


def delete(ecr, repository, digests):
    deleted = 0
    for i in range(0, len(digests), 100):
        batch = [{"imageDigest": digest} for digest in digests[i : i + 100]]
        answer = ecr.batch_delete_image(repositoryName=repository, imageIds=batch)
        deleted += len({identifier["imageDigest"] for identifier in answer["imageIds"]})
    return deleted


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--keep", type=int, required=True)
    parser.add_argument("--apply", action="store_true")
    options = parser.parse_args()
    ecr = boto3.client("ecr")
    started = time.perf_counter()
    now = datetime.datetime.now(datetime.timezone.utc)
    totals = {"evaluated": 0, "expired": 0, "deleted": 0}
    for repository in repositories(ecr):
        found = images(ecr, repository)
        digests = expired(found, options.days, options.keep, now)
        totals["evaluated"] += len(found)
        totals["expired"] += len(digests)
        if options.apply:
            totals["deleted"] += delete(ecr, repository, digests)
    end = time.perf_counter()
    print(json.dumps(totals | {"start": started - begin, "seconds": end - begin}))


if __name__ == "__main__":
    main()
