//go:build integration

package integration_test

import "testing"

func failedLists(t *testing.T, s *site, program string) {}
func failedSources(t *testing.T, s *site, program string) {}
func savedPlanInUse(t *testing.T, s *site) {}
