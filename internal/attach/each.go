package attach

import "sync"

// each calls do for every repository, for at most that many at once.
func each(workers int, repositories []Repository, do func(*Repository)) {
	slots := make(chan struct{}, workers)
	var wg sync.WaitGroup
	for i := range repositories {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(&repositories[i])
		})
	}
	wg.Wait()
}
