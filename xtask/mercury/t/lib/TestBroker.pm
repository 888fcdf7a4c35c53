package TestBroker;

# broker.pl as a program of its own, and peers that talk to it over real sockets.

use Mojo::Base -base, -signatures;

use Exporter qw(import);
use FindBin qw($Bin);
use Mojo::IOLoop;
use Mojo::UserAgent;
use TestPeer;

our @EXPORT = qw(broker);

# Starts a broker with these options; it ends when the value goes.
sub broker (@options) {
    my $pid = open my $output, '-|', $^X, "$Bin/../broker.pl", @options or die "broker.pl does not start: $!";
    my ($url) = (readline($output) // '') =~ /\Alistening on (http:\S+)\n\z/ or die "broker.pl does not listen";
    my $ua = Mojo::UserAgent->new(inactivity_timeout => 30, max_redirects => 0);
    return bless { pid => $pid, output => $output, url => $url, ua => $ua }, __PACKAGE__;
}

# A peer that is connected: `$broker->peer('/bus/a')`.
sub peer ($self, $path, %headers) {
    return TestPeer->connect($self->{ua}, "$self->{url}$path" =~ s/\Ahttp/ws/r, \%headers);
}

# The status of an answer to a request: `$broker->status(POST => '/bus/a', {}, 'body')`.
sub status ($self, @request) { return $self->answer(@request)->code }

sub answer ($self, $method, $path, $headers = {}, $body = '') {
    return $self->{ua}->start($self->{ua}->build_tx($method, "$self->{url}$path", $headers, $body))->res;
}

sub post ($self, $path, $body, $headers = {}) { return $self->status(POST => $path, $headers, $body) }

# Pushes $text and says which of the pullers got it, by its letter in the hash; '-' if the broker had nobody.
sub turn ($self, $path, $text, $pullers) {
    return '-' if $self->post($path, $text) != 200;
    my $got;
    TestPeer->wait_for(sub {
        ($got) = grep { $pullers->{$_}->has_heard } sort keys %$pullers;
    });
    return 'lost' if !$got;
    my $heard = $pullers->{$got}->next;
    return $heard eq "text $text" ? $got : "$got: $heard";
}

# Asks the broker to end; its exit status.
sub end ($self) {
    kill 'TERM', $self->{pid};
    return $self->ended;
}

# Waits for its end; the exit status, or minus the signal that ended it.
sub ended ($self) {
    close $self->{output} if $self->{output};
    delete @$self{qw(pid output)};
    return $? & 127 ? -($? & 127) : $? >> 8;
}

# Resident memory, in MiB; undef where the system does not tell.
sub memory ($self) {
    open my $file, '<', "/proc/$self->{pid}/statm" or return undef;
    return (split ' ', readline $file)[1] * 4096 / 2**20;
}

sub DESTROY ($self) {
    local $?;
    return if !$self->{pid};
    kill 'KILL', $self->{pid};
    $self->ended;
    return;
}

1;
