// Load by Go's net/http: load.go <url> <connections>. clients.ts has the protocol of its input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	mutex sync.Mutex
	tally = map[string]int{}
)

func count(what string) {
	mutex.Lock()
	defer mutex.Unlock()
	tally[what]++
}

func one(client *http.Client, url string) {
	answer, err := client.Post(url, "application/json", strings.NewReader("[1]"))
	if err != nil {
		count("error " + err.Error())
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		count("error " + err.Error())
		return
	}
	if answer.StatusCode == 200 && string(body) != "[1]" {
		count("wrong body " + string(body))
		return
	}
	count(strconv.Itoa(answer.StatusCode))
	if answer.StatusCode == 200 {
		return
	}
	wait, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil {
		count(fmt.Sprintf("%d without Retry-After", answer.StatusCode))
		return
	}
	time.Sleep(time.Duration(wait) * time.Second)
}

func main() {
	url := os.Args[1]
	connections, _ := strconv.Atoi(os.Args[2])
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	var running int32
	var load sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "start":
			atomic.StoreInt32(&running, 1)
			for i := 0; i < connections; i++ {
				load.Add(1)
				go func() {
					defer load.Done()
					for atomic.LoadInt32(&running) == 1 {
						one(client, url)
					}
				}()
			}
		case "stop":
			atomic.StoreInt32(&running, 0)
			load.Wait()
			text, _ := json.Marshal(tally)
			fmt.Println(string(text))
			tally = map[string]int{}
		}
	}
}
